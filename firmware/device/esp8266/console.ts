// `device/console` of the ESP8266: what arrives comes by the SDK's serial port, what is written goes out at once
// (native/esp8266/broome-console.c). The FIFO holds 128 bytes, 11 ms at 115200, and there is no ring behind it: while the program
// is busy longer (a curve operation takes a second) what somebody types is lost. Improv's frames are repeated by their sender.

import * as module from "embedded:io/serial";
import type { Console } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

interface SdkSerial {
  read(): ArrayBuffer | undefined;
}
interface SerialOptions {
  baud: number;
  format: "buffer";
  onReadable(this: SdkSerial): void;
}
const Serial = module.default as unknown as new (options: SerialOptions) => SdkSerial;

const BAUD = 115_200;

function debugged(this: unknown): boolean {
  return native("xs_broome_console_debugged").call(this) as boolean;
}

function write(this: unknown, bytes: Uint8Array): void {
  native("xs_broome_console_write").call(this, bytes);
}

interface Port {
  onBytes: ((bytes: Uint8Array) => void) | undefined;
}

/** Opened once, on the global object; the SDK sets the baud rate for both directions then. */
function port(): Port {
  const holder = globalThis as { broomePort?: Port; broomeSerial?: SdkSerial };
  if (holder.broomePort) return holder.broomePort;
  const made: Port = { onBytes: undefined };
  holder.broomePort = made;
  if (debugged()) return made; // xsbug has the UART
  holder.broomeSerial = new Serial({
    baud: BAUD,
    format: "buffer",
    onReadable() {
      const bytes = this.read();
      if (bytes) made.onBytes?.(new Uint8Array(bytes));
    },
  });
  return made;
}

const uart: Console = {
  write(bytes) {
    port();
    write(bytes);
  },
  listen(onBytes) {
    port().onBytes = onBytes;
  },
};

export default uart;
