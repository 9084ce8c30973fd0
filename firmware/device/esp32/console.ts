// `device/console` of the ESP32: UART 0 by ESP-IDF's driver, whose ring holds what arrives while the program is busy
// (native/esp32/broome-console.c).

import timer from "../sdk/timer.js";
import type { Console } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const BAUD = 115_200;
/** The ring is looked at this often: it holds nine times what arrives meanwhile, and a person notices nothing. In ms. */
const LOOK_MS = 20;

/** Does nothing the second time. */
function open(this: unknown, baud: number): void {
  native("xs_broome_console_open").call(this, baud);
}

function read(this: unknown): ArrayBuffer | undefined {
  return native("xs_broome_console_read").call(this) as ArrayBuffer | undefined;
}

function write(this: unknown, bytes: Uint8Array): void {
  native("xs_broome_console_write").call(this, bytes);
}

/** All that has arrived, 128 bytes at a time. */
function drain(onBytes: (bytes: Uint8Array) => void): void {
  for (;;) {
    const bytes = read();
    if (!bytes) return;
    onBytes(new Uint8Array(bytes));
  }
}

const uart: Console = {
  write(bytes) {
    open(BAUD);
    write(bytes);
  },
  listen(onBytes) {
    open(BAUD);
    const holder = globalThis as { broomeConsole?: unknown };
    timer.clear(holder.broomeConsole); // one listener: the one before is let go
    holder.broomeConsole = timer.repeat(() => drain(onBytes), LOOK_MS);
  },
};

export default uart;
