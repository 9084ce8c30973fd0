// `device/console` of a Linux process: standard input and output.

import type { Console } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const uart: Console = {
  write(bytes) {
    native("xs_broome_console_write").call(undefined, bytes);
  },
  listen(onBytes) {
    native("xs_broome_console_listen").call(undefined, (bytes: ArrayBuffer) =>
      onBytes(new Uint8Array(bytes)),
    );
  },
};

export default uart;
