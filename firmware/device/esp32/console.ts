// `device/console` of the ESP32: UART 0 by ESP-IDF's driver, whose ring holds what arrives while the program is busy
// (native/esp32/broome-console.c).

import timer from "../sdk/timer.js";
import type { Console } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const BAUD = 115_200;
/** The ring is looked at this often: it holds nine times what arrives meanwhile, and a person notices nothing. In ms. */
const LOOK_MS = 20;

function open(): void {
  native("xs_broome_console_open").call(undefined, BAUD); // does nothing the second time
}

/** All that has arrived, 128 bytes at a time. */
function drain(onBytes: (bytes: Uint8Array) => void): void {
  for (;;) {
    const bytes = native("xs_broome_console_read").call(undefined) as ArrayBuffer | undefined;
    if (!bytes) return;
    onBytes(new Uint8Array(bytes));
  }
}

const uart: Console = {
  write(bytes) {
    open();
    native("xs_broome_console_write").call(undefined, bytes);
  },
  listen(onBytes) {
    open();
    const holder = globalThis as { broomeConsole?: unknown };
    timer.clear(holder.broomeConsole); // one listener: the one before is let go
    holder.broomeConsole = timer.repeat(() => drain(onBytes), LOOK_MS);
  },
};

export default uart;
