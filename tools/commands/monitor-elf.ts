// Which ELF file `broome monitor` takes for what runs on the board: the one that was named, or a build's.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Core } from "../serial/native-crash.js";
import type { Context } from "../verb.js";

/** What `build --sdk` leaves beside the image. */
const NAME = "app.elf";
const CHIPS: Readonly<Record<Core, readonly string[]>> = {
  esp32: ["esp32"],
  riscv: ["esp32c3"],
  esp8266: ["esp8266"],
};

/** `given`: by --elf. Undefined where nothing was named or built. */
export function elfOf(core: Core, { chain, root }: Context, given?: string): string | undefined {
  if (given !== undefined) return given;
  const folders = CHIPS[core].map((chip) => join(root, "build", `${chip}-sdk`));
  if (chain.dir !== undefined) folders.unshift(chain.dir);
  return folders.map((folder) => join(folder, NAME)).find((path) => existsSync(path));
}
