// Espressif's flasher stub: a small program that is loaded into the chip's RAM and flashes faster than its ROM
// (github.com/espressif/esp-flasher-stub; the data files that npm's esptool-js ships).

import { encodeBegin, encodeRequest, encodeWords, Op } from "./command.js";
import { FlasherError } from "./error.js";
import type { Loader } from "./loader.js";

const RAM_BLOCK_SIZE = 0x1800; // bytes
const START_TIMEOUT_MS = 1000; // it says hello within 20 ms
const GREETING = "OHAI";
const MAX_SEGMENT = 0x10000; // bytes; the largest of today's has 11 KB

export interface Stub {
  readonly entry: number;
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
}

/** What a data file holds: `entry`, `text`, `text_start`, `data`, `data_start`, the bytes in base64. @throws FlasherError `stub-unusable` */
export function parseStub(file: unknown): Stub {
  const fields = file as Record<string, unknown>;
  const segments: { address: number; bytes: Uint8Array }[] = [];
  for (const name of ["text", "data"]) {
    const text = fields[name];
    if (text === undefined && name === "data") continue;
    const address = fields[`${name}_start`];
    if (typeof text !== "string" || !isAddress(address)) throw unusable(`no ${name} in it`);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    if (bytes.length === 0 || bytes.length > MAX_SEGMENT) throw unusable(`${name} of ${bytes.length} bytes`);
    segments.push({ address, bytes });
  }
  if (!isAddress(fields.entry)) throw unusable("no entry in it");
  return { entry: fields.entry, segments };
}

/**
 * Loads and starts it. Where it starts at the rate that the ROM began with (chips whose clock it raises), the port follows.
 *
 * @throws FlasherError `stub-failed`, and what loading throws
 */
export async function startStub(loader: Loader, stub: Stub): Promise<void> {
  for (const { address, bytes } of stub.segments) await load(loader, address, bytes);
  loader.exchange.forget();
  const start = encodeWords(0, stub.entry);
  await loader.exchange.send(encodeRequest({ op: Op.MEM_END, data: start, checksum: 0 }));
  if (await greets(loader)) return loader.becomeStub();
  await loader.returnToFirstRate();
  await loader.resync().catch(() => undefined);
  if (!loader.isStub)
    throw new FlasherError("stub-failed", "the flasher stub was loaded but does not start", "Use --no-stub.");
}

async function load(loader: Loader, offset: number, bytes: Uint8Array): Promise<void> {
  const blocks = Math.ceil(bytes.length / RAM_BLOCK_SIZE);
  const begin = { size: bytes.length, blocks, blockSize: RAM_BLOCK_SIZE, offset };
  await loader.command(Op.MEM_BEGIN, encodeBegin(begin));
  for (let sequence = 0; sequence < blocks; sequence += 1) {
    const at = sequence * RAM_BLOCK_SIZE;
    await loader.block(Op.MEM_DATA, sequence, bytes.subarray(at, at + RAM_BLOCK_SIZE), 0);
  }
}

/** The ROM's answer to MEM_END may come before the greeting, or be cut off by it. */
async function greets(loader: Loader): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const packet = await loader.exchange.nextPacket(deadline);
    if (!packet) return false;
    if (String.fromCharCode(...packet.subarray(0, GREETING.length + 1)) === GREETING) return true;
  }
}

function isAddress(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 2 ** 32;
}

function unusable(why: string): FlasherError {
  return new FlasherError(
    "stub-unusable",
    `the stub's data file is damaged: ${why}`,
    "Install the packages again: npm ci",
  );
}
