// Reads flash through the bootloader: 64 bytes at a time from a ROM, a stream of packets with an MD5 from a stub.

import { encodeWords, Op } from "./command.js";
import { FlasherError } from "./error.js";
import { DEFAULT_TIMEOUT_MS } from "./exchange.js";
import type { Codecs } from "./codecs.js";
import type { Loader } from "./loader.js";

const SLOW_SIZE = 64; // bytes of every answer of READ_FLASH_SLOW, however few were asked for
const PACKET_SIZE = 0x1000;
const PACKETS_AHEAD = 64;

/** `size` bytes at `offset`. @throws FlasherError `command-refused`, `no-answer`, `verify-failed` */
export async function readFlash(
  loader: Loader,
  offset: number,
  size: number,
  codecs: Pick<Codecs, "md5">,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  if (loader.isStub) await readStream(loader, offset, bytes, codecs);
  else await readSlowly(loader, offset, bytes);
  return bytes;
}

async function readSlowly(loader: Loader, offset: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += SLOW_SIZE) {
    const length = Math.min(SLOW_SIZE, bytes.length - at);
    const words = encodeWords(offset + at, length);
    const { data } = await loader.command(Op.READ_FLASH_SLOW, words, { dataLength: SLOW_SIZE });
    bytes.set(data.subarray(0, length), at);
  }
}

async function readStream(
  loader: Loader,
  offset: number,
  bytes: Uint8Array,
  codecs: Pick<Codecs, "md5">,
): Promise<void> {
  await loader.command(Op.READ_FLASH, encodeWords(offset, bytes.length, PACKET_SIZE, PACKETS_AHEAD));
  for (let at = 0; at < bytes.length;) {
    const packet = await nextPacket(loader);
    if (at + packet.length > bytes.length) throw damaged(offset, "more bytes than were asked for");
    bytes.set(packet, at);
    at += packet.length;
    await loader.exchange.send(encodeWords(at));
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
