// Requests and responses of Espressif's serial bootloader, both ways (esptool's documentation, "Serial Protocol").

import { BroomeError } from "../error.js";

/** Opcodes of ROM and stub. */
export const Op = {
  FLASH_BEGIN: 0x02,
  FLASH_DATA: 0x03,
  FLASH_END: 0x04,
  MEM_BEGIN: 0x05,
  MEM_END: 0x06,
  MEM_DATA: 0x07,
  SYNC: 0x08,
  WRITE_REG: 0x09,
  READ_REG: 0x0a,
  SPI_SET_PARAMS: 0x0b,
  SPI_ATTACH: 0x0d,
  READ_FLASH_SLOW: 0x0e,
  CHANGE_BAUDRATE: 0x0f,
  FLASH_DEFL_BEGIN: 0x10,
  FLASH_DEFL_DATA: 0x11,
  FLASH_DEFL_END: 0x12,
  SPI_FLASH_MD5: 0x13,
  GET_SECURITY_INFO: 0x14,
  ERASE_FLASH: 0xd0,
  ERASE_REGION: 0xd1,
  READ_FLASH: 0xd2,
  RUN_USER_CODE: 0xd3,
} as const;

/** Why a ROM refused (esptool's documentation, "ROM Loader Errors"); stubs use numbers of their own (their `commands.h`). */
export const Reason = {
  INVALID_PARAMETER: 0x01,
  INVALID_MESSAGE: 0x05,
  FAILED: 0x06,
  CHECKSUM: 0x07,
  FLASH_WRITE: 0x08,
  FLASH_READ: 0x09,
  FLASH_READ_LENGTH: 0x0a,
  DEFLATE: 0x0b,
  DEFLATE_ADLER: 0x0c,
  RAM_SIZE: 0x0e,
  RAM_ADDRESS: 0x0f,
} as const;

/** Why a stub refused (esptool's documentation and its stub_flasher.h): these are the first byte of the status, not the second. */
export const StubReason = {
  ERASE_OFFSET: 0x32,
  ERASE_SIZE: 0x33,
  DATA_LENGTH: 0xc0,
  CHECKSUM: 0xc1,
  BLOCK_SIZE: 0xc2,
  INVALID: 0xc3,
  FLASH: 0xc4,
  NOT_BEGUN: 0xc6,
  DEFLATE: 0xc7,
  NOT_ENOUGH: 0xc8,
  TOO_MUCH: 0xc9,
  UNKNOWN: 0xff,
} as const;

const reasonWords: Readonly<Record<number, string>> = {
  0x01: "invalid parameter",
  0x05: "unknown or malformed command",
  0x06: "the operation failed",
  0x07: "checksum error on the line",
  0x08: "flash write error",
  0x09: "flash read error",
  0x0a: "flash read length error",
  0x0b: "bad compressed data",
  0x0c: "bad checksum of compressed data",
  0x0e: "invalid RAM size",
  0x0f: "invalid RAM address",
  0x32: "stub: an erase that begins in the middle of a sector",
  0x33: "stub: an erase of a part of a sector",
  0xc0: "stub: bad data length",
  0xc1: "stub: checksum error on the line",
  0xc2: "stub: bad block size",
  0xc3: "stub: invalid command",
  0xc4: "stub: flash operation failed",
  0xc6: "stub: not in flash mode",
  0xc7: "stub: bad compressed data",
  0xc8: "stub: not enough data",
  0xc9: "stub: too much data",
  0xff: "stub: unknown command",
};

export function reasonText(reason: number): string {
  return `${reasonWords[reason] ?? "unknown reason"} (0x${reason.toString(16).padStart(2, "0")})`;
}

export function opName(op: number): string {
  const known = Object.entries(Op).find(([, code]) => code === op);
  return known ? known[0] : `0x${op.toString(16).padStart(2, "0")}`;
}

/** First byte of a ROM's status; a stub has its reason there. */
const ROM_REFUSED = 1;

/** A packet that is no request or response, or a field that does not fit. */
export class CommandError extends BroomeError {
  constructor(message: string) {
    super(
      "malformed-command",
      message,
      "The line is noisy, or something else than an ESP bootloader answers.",
    );
  }
}

export const HEADER_LENGTH = 8;
/** What the `_DATA` commands put before their payload. */
export const DATA_HEADER_LENGTH = 16;
/** The largest payload that anybody sends: a stub's block. */
export const MAX_BLOCK = 0x4000;
/** The longest packet of the protocol, unescaped. */
export const MAX_PACKET = HEADER_LENGTH + DATA_HEADER_LENGTH + MAX_BLOCK;

export interface Request {
  readonly op: number;
  readonly data: Uint8Array;
  /** Of the payload of `_DATA` commands; otherwise ignored. */
  readonly checksum: number;
}

export interface Response {
  readonly op: number;
  /** The answer of READ_REG; of SYNC: zero when a stub answers. */
  readonly value: number;
  /** Data, then 2 or 4 status bytes. */
  readonly body: Uint8Array;
}

export function encodeRequest(request: Request): Uint8Array {
  return encodePacket(0x00, request.op, request.checksum, request.data);
}

/** @throws CommandError when the packet is short, no request, or its size field is not what follows. */
export function decodeRequest(packet: Uint8Array): Request {
  const { op, word, data } = decodePacket(0x00, packet, "request");
  if (data.length !== packet.length - HEADER_LENGTH) throw new CommandError("request: bytes left over");
  return { op, data, checksum: word };
}

export function encodeResponse(response: Response): Uint8Array {
  return encodePacket(0x01, response.op, response.value, response.body);
}

/** @throws CommandError when the packet is short, no response, or its size field promises more than there is. */
export function decodeResponse(packet: Uint8Array): Response {
  const { op, word, data } = decodePacket(0x01, packet, "response");
  return { op, value: word, body: data };
}

/** Status bytes as they end a response; `length` is 4 for ROMs of the ESP32 family, else 2. */
export function encodeStatus(length: number, reason?: number): Uint8Array {
  const status = new Uint8Array(length);
  if (reason !== undefined) status.set([1, reason]);
  return status;
}

/** A stub's: its reason comes first. */
export function encodeStubStatus(reason = 0): Uint8Array {
  return Uint8Array.of(reason, 0);
}

export interface Outcome {
  readonly data: Uint8Array;
  /** Undefined = success. */
  readonly reason: number | undefined;
}

/**
 * Splits a body into `dataLength` bytes and the status behind them; a refusal has no data, only status.
 *
 * @throws CommandError when a success lacks its data
 */
export function splitBody(body: Uint8Array, dataLength: number): Outcome {
  const short = body.length < dataLength + 2;
  const status = short ? body.subarray(0, 2) : body.subarray(dataLength, dataLength + 2);
  if (status.length === 2 && status[0] !== 0)
    return { data: new Uint8Array(0), reason: status[0] === ROM_REFUSED ? status[1]! : status[0]! };
  if (short)
    throw new CommandError(`response body of ${body.length} bytes, expected ${dataLength} and a status`);
  return { data: body.slice(0, dataLength), reason: undefined };
}

/** 0xEF XOR every byte. */
export function checksum(bytes: Uint8Array): number {
  let sum = 0xef;
  for (const byte of bytes) sum ^= byte;
  return sum;
}

/** The 36 bytes of SYNC, which also let the chip measure the baud rate. */
export function syncData(): Uint8Array {
  const data = new Uint8Array(36).fill(0x55);
  data.set([0x07, 0x07, 0x12, 0x20]);
  return data;
}

/** Little-endian 32-bit words, the arguments of most commands. */
export function encodeWords(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(index * 4, word, true));
  return bytes;
}

/** Exactly `count` words. @throws CommandError when the length differs. */
export function decodeWords(data: Uint8Array, count: number): number[] {
  if (data.length !== count * 4) throw new CommandError(`${data.length} bytes, expected ${count} words`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

export interface Begin {
  /** FLASH_BEGIN: bytes to erase. FLASH_DEFL_BEGIN: bytes that come out of the inflater. MEM_BEGIN: bytes. */
  readonly size: number;
  readonly blocks: number;
  readonly blockSize: number;
  readonly offset: number;
  /** The fifth word; undefined = left out (ROMs of ESP32 and ESP8266, MEM_BEGIN). */
  readonly encrypted?: boolean;
}

export function encodeBegin(begin: Begin): Uint8Array {
  const words = [begin.size, begin.blocks, begin.blockSize, begin.offset];
  if (begin.encrypted !== undefined) words.push(begin.encrypted ? 1 : 0);
  return encodeWords(...words);
}

export function decodeBegin(data: Uint8Array): Begin {
  const [size, blocks, blockSize, offset, flag] = decodeWords(data, data.length === 20 ? 5 : 4);
  const begin = { size: size!, blocks: blocks!, blockSize: blockSize!, offset: offset! };
  return flag === undefined ? begin : { ...begin, encrypted: flag !== 0 };
}

export interface Block {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The whole request of a `_DATA` command, with its checksum. */
export function blockRequest(op: number, block: Block): Request {
  const { sequence, payload } = block;
  if (payload.length > MAX_BLOCK)
    throw new CommandError(`block of ${payload.length} bytes, at most ${MAX_BLOCK}`);
  const data = new Uint8Array(DATA_HEADER_LENGTH + payload.length);
  data.set(encodeWords(payload.length, sequence, 0, 0));
  data.set(payload, DATA_HEADER_LENGTH);
  return { op, data, checksum: checksum(payload) };
}

/** Does not check the checksum: the receiver answers for that. */
export function decodeBlock(data: Uint8Array): Block {
  if (data.length < DATA_HEADER_LENGTH)
    throw new CommandError(`block header of ${data.length} bytes, expected 16`);
  const [length, sequence] = decodeWords(data.subarray(0, DATA_HEADER_LENGTH), 4);
  const payload = data.slice(DATA_HEADER_LENGTH);
  if (length !== payload.length) throw new CommandError(`block of ${payload.length} bytes says ${length}`);
  return { sequence: sequence!, payload };
}

/** What GET_SECURITY_INFO of a chip with a chip id answers: 20 bytes. */
export interface SecurityInfo {
  readonly flags: number;
  readonly flashCryptCount: number;
  /** Seven bytes. */
  readonly keyPurposes: Uint8Array;
  readonly chipId: number;
  readonly apiVersion: number;
}

export const SECURITY_INFO_LENGTH = 20;

export function encodeSecurityInfo(info: SecurityInfo): Uint8Array {
  if (info.keyPurposes.length !== 7)
    throw new CommandError(`${info.keyPurposes.length} key purposes, expected 7`);
  const data = new Uint8Array(SECURITY_INFO_LENGTH);
  data.set(encodeWords(info.flags));
  data[4] = info.flashCryptCount;
  data.set(info.keyPurposes, 5);
  data.set(encodeWords(info.chipId, info.apiVersion), 12);
  return data;
}

export function decodeSecurityInfo(data: Uint8Array): SecurityInfo {
  if (data.length !== SECURITY_INFO_LENGTH) throw new CommandError(`security info of ${data.length} bytes`);
  const [flags] = decodeWords(data.subarray(0, 4), 1);
  const [chipId, apiVersion] = decodeWords(data.subarray(12), 2);
  return {
    flags: flags!,
    flashCryptCount: data[4]!,
    keyPurposes: data.slice(5, 12),
    chipId: chipId!,
    apiVersion: apiVersion!,
  };
}

function encodePacket(direction: number, op: number, word: number, data: Uint8Array): Uint8Array {
  if (data.length > 0xffff) throw new CommandError(`${data.length} bytes of data, at most 65535`);
  const packet = new Uint8Array(HEADER_LENGTH + data.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, direction);
  view.setUint8(1, op);
  view.setUint16(2, data.length, true);
  view.setUint32(4, word, true);
  packet.set(data, HEADER_LENGTH);
  return packet;
}

function decodePacket(direction: number, packet: Uint8Array, what: string) {
  if (packet.length < HEADER_LENGTH) throw new CommandError(`${what} of ${packet.length} bytes, at least 8`);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (view.getUint8(0) !== direction) throw new CommandError(`not a ${what}: direction ${view.getUint8(0)}`);
  const size = view.getUint16(2, true);
  if (HEADER_LENGTH + size > packet.length) {
    throw new CommandError(`${what} says ${size} bytes, holds ${packet.length - HEADER_LENGTH}`);
  }
  const data = packet.slice(HEADER_LENGTH, HEADER_LENGTH + size);
  return { op: view.getUint8(1), word: view.getUint32(4, true), data };
}
