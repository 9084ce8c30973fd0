// Node's side of the flasher: deflate, MD5, the stubs' data files, and a board behind one of this computer's ports.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { allChips } from "./chips/registry.js";
import { BroomeError } from "./error.js";
import type { Codecs } from "./esptool/codecs.js";
import { Loader } from "./esptool/loader.js";
import { parseStub, type Stub } from "./esptool/stub.js";
import { choosePort } from "./serial/choose.js";
import { openPort } from "./serial/open.js";
import type { Context } from "./verb.js";

const CONNECT_BAUD_RATE = 115200;
const FLASH_BAUD_RATE = 921600; // most adapters can; the flasher goes down where one cannot
const MAX_BAUD_RATE = 5_000_000;

const deflateAsync = promisify<Uint8Array, { level: number; memLevel: number }, Buffer>(deflate);
const load = createRequire(import.meta.url);

export const codecs: Codecs = {
  deflate: async (bytes) => new Uint8Array(await deflateAsync(bytes, { level: 9, memLevel: 9 })),
  md5: (bytes) => createHash("md5").update(bytes).digest("hex"),
};

/** The stub for a chip, from npm's esptool-js; undefined where it ships none. @throws FlasherError `stub-unusable` */
export async function stubFor(chipName: string): Promise<Stub | undefined> {
  let file: unknown;
  try {
    file = load(`esptool-js/lib/targets/stub_flasher/${chipName}.json`);
  } catch (error) {
    if ((error as { code?: string }).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
  return parseStub(file);
}

/** The rate that the user wants for the writes. @throws BroomeError `usage` */
export function baudRateOf(context: Context): number {
  const baud = context.baud ?? FLASH_BAUD_RATE;
  if (Number.isInteger(baud) && baud >= 300 && baud <= MAX_BAUD_RATE) return baud;
  throw new BroomeError("usage", `-b ${baud} is no baud rate`, "Usual ones: 115200, 230400, 460800, 921600.");
}

/** Opens the user's port and hands over a loader on it; both are closed afterwards. @throws PortError */
export async function withLoader<T>(context: Context, work: (loader: Loader) => Promise<T>): Promise<T> {
  const name = await choosePort(context.port);
  return withLoaderAt(name, context, work);
}

/** The same on a port that is known. @throws PortError */
export async function withLoaderAt<T>(
  name: string,
  context: Context,
  work: (loader: Loader) => Promise<T>,
): Promise<T> {
  context.log(`Serial port ${name}`);
  const port = await openPort(name, { baudRate: Math.min(CONNECT_BAUD_RATE, baudRateOf(context)) });
  const loader = new Loader({ port, chips: allChips(), signal: context.signal });
  try {
    return await work(loader);
  } finally {
    loader.close();
    await port.close();
  }
}
