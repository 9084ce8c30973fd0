// Reads flash through the bootloader: 64 bytes at a time from a ROM, a stream of packets with an MD5 from a stub.

import type { Codecs } from "./codecs.js";
import { encodeWords, Op } from "./command.js";
import { FlasherError } from "./error.js";
import { DEFAULT_TIMEOUT_MS } from "./exchange.js";
import type { Loader } from "./loader.js";
import { isTrouble, type Session } from "./session.js";

const SLOW_SIZE = 64; // bytes of every answer of READ_FLASH_SLOW, however few were asked for
const PACKET_SIZE = 0x1000;
const PACKETS_AHEAD = 64;
/** Bytes that are read, checked and, where the line was bad, read again. */
const PIECE_SIZE = 256 * 1024;
/** Bytes from which loading the stub costs less than reading 64 at a time. */
const STUB_PAYS_FROM = 16 * 1024;
const ATTEMPTS = 3; // at one baud rate

export interface ReadOptions {
  codecs: Pick<Codecs, "md5">;
  onProgress?(done: number): void;
}

/**
 * `size` bytes at `offset`, compared with an MD5 where the bootloader can compute one, read again where the line was bad.
 *
 * @throws FlasherError `stub-needed`, `command-refused`, `no-answer`, `verify-failed`
 */
export async function readRange(
  session: Session,
  offset: number,
  size: number,
  options: ReadOptions,
): Promise<Uint8Array> {
  const { loader } = session;
  if (size >= STUB_PAYS_FROM || !loader.knows(Op.READ_FLASH_SLOW)) await session.useStub();
  if (!loader.knows(Op.READ_FLASH_SLOW))
    throw new FlasherError(
      "stub-needed",
      `the ${loader.chip.family}'s ROM cannot read flash`,
      "Leave --no-stub away.",
    );
  const bytes = new Uint8Array(size);
  let attempt = 1;
  for (let at = 0; at < size;) {
    const length = Math.min(PIECE_SIZE, size - at);
    try {
      bytes.set(await readChecked(loader, offset + at, length, options, at), at);
      at += length;
      attempt = 1;
    } catch (error) {
      if (!isTrouble(error)) throw error;
      if (attempt++ < ATTEMPTS) await session.recover();
      else if (await session.slower()) attempt = 1;
      else throw error;
    }
  }
  return bytes;
}

async function readChecked(
  loader: Loader,
  offset: number,
  size: number,
  { codecs, onProgress }: ReadOptions,
  before: number,
): Promise<Uint8Array> {
  const bytes = await readFlash(loader, offset, size, codecs, (done) => onProgress?.(before + done));
  if (loader.isStub || !loader.knows(Op.SPI_FLASH_MD5)) return bytes; // a stub's stream has been compared
  if ((await loader.md5(offset, size)) === (await codecs.md5(bytes))) return bytes;
  throw damaged(offset, "its MD5 is another");
}

/** `size` bytes at `offset`. @throws FlasherError `command-refused`, `no-answer`, `verify-failed` */
export async function readFlash(
  loader: Loader,
  offset: number,
  size: number,
  codecs: Pick<Codecs, "md5">,
  onProgress: (done: number) => void = () => undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  if (loader.isStub) await readStream(loader, offset, bytes, codecs, onProgress);
  else await readSlowly(loader, offset, bytes, onProgress);
  return bytes;
}

async function readSlowly(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  onProgress: (done: number) => void,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLOW_SIZE) {
    const length = Math.min(SLOW_SIZE, bytes.length - at);
    const words = encodeWords(offset + at, length);
    const { data } = await loader.command(Op.READ_FLASH_SLOW, words, { dataLength: SLOW_SIZE });
    bytes.set(data.subarray(0, length), at);
    onProgress(at + length);
  }
}

async function readStream(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  codecs: Pick<Codecs, "md5">,
  onProgress: (done: number) => void,
): Promise<void> {
  await loader.command(Op.READ_FLASH, encodeWords(offset, bytes.length, PACKET_SIZE, PACKETS_AHEAD));
  for (let at = 0; at < bytes.length;) {
    const packet = await nextPacket(loader);
    if (at + packet.length > bytes.length) throw damaged(offset, "more bytes than were asked for");
    bytes.set(packet, at);
    at += packet.length;
    await loader.exchange.send(encodeWords(at));
    onProgress(at);
  }
  const digest = [...(await nextPacket(loader))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (digest !== (await codecs.md5(bytes))) throw damaged(offset, "its MD5 is another");
}

async function nextPacket(loader: Loader): Promise<Uint8Array> {
  const packet = await loader.exchange.nextPacket(Date.now() + DEFAULT_TIMEOUT_MS);
  if (packet) return packet;
  throw new FlasherError(
    "no-answer",
    "the board stopped in the middle of a read",
    "Run the same command again.",
  );
}

function damaged(offset: number, why: string): FlasherError {
  const message = `what was read at 0x${offset.toString(16)} is damaged: ${why}`;
  return new FlasherError("verify-failed", message, "Try again with -b 115200.");
}
