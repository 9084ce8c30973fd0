// Which image `broome patch` works on, and where the result goes.

import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { BroomeError } from "../error.js";
import { sameFile } from "../named-file.js";
import { canAsk, choose } from "../prompt.js";
import type { Context } from "../verb.js";

/** The one named, the one of the chain, or the one chosen from a menu of the .bin files here. Throws `usage`. */
export async function findImage(context: Context, argument: string | undefined): Promise<string> {
  const given = argument ?? context.chain.image ?? context.chain.dir;
  if (given !== undefined) {
    const path = resolve(given);
    return isFolder(path) ? join(path, "app.bin") : path;
  }
  const files = readdirSync(".").filter((name) => name.endsWith(".bin") && !isFolder(name));
  if (!canAsk() || files.length === 0)
    throw new BroomeError(
      "usage",
      files.length === 0 ? "no image given, and no .bin file here" : "no image given",
      "Give one: broome patch build/esp32c3/app.bin",
    );
  return resolve(await choose("Which image?", files.sort()));
}

/** IMAGE_patched.bin beside it; in a chain, app_patched.bin of the folder just built. Throws `usage` for the image itself. */
export function outputOf(path: string, out: string | undefined): string {
  const result = resolve(
    out ?? (path.endsWith(".bin") ? `${path.slice(0, -4)}_patched.bin` : `${path}_patched.bin`),
  );
  if (!sameFile(result, path)) return result;
  throw new BroomeError(
    "usage",
    `${result} is the input`,
    "Give another name with -o: the blank image is what you publish.",
  );
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
