// Improv Wi-Fi over serial, version 1 (improv-wifi.com/serial): what frames hold, and writing them. improv-parser.ts finds them.
//
// Frame: "IMPROV", version u8, type u8, length u8, data, checksum u8 (sum of all bytes before it), newline.

/** "IMPROV" and the version. */
export const HEADER: readonly number[] = [0x49, 0x4d, 0x50, 0x52, 0x4f, 0x56, 1];
export const MAX_DATA = 255; // bytes

export const FrameType = { state: 1, error: 2, rpc: 3, result: 4 } as const;

export const ImprovState = { authorized: 2, provisioning: 3, provisioned: 4 } as const;

export const ImprovError = {
  none: 0,
  badPacket: 1,
  unknownCommand: 2,
  unableToConnect: 3,
  badHostname: 5,
  unknown: 0xff,
} as const;

export const Command = {
  sendWifi: 1,
  state: 2,
  info: 3,
  scan: 4,
  hostname: 5,
  name: 6,
  network: 7,
} as const;

/** Flags of the answer to Command.network, as a decimal number in text. */
export const NetworkFlag = { online: 1, wifi: 2 } as const;

/** One request of the host. */
export interface Rpc {
  command: number;
  payload: Uint8Array;
}

export interface Credentials {
  ssid: Uint8Array; // any length that was sent: who uses it checks it
  password: Uint8Array;
}

/** A whole frame, with the newline that ends it. Throws RangeError for more than 255 bytes of data. */
export function encodeFrame(type: number, data: Uint8Array): Uint8Array {
  if (data.length > MAX_DATA) throw new RangeError(`${data.length} bytes of data, at most ${MAX_DATA}`);
  const frame = new Uint8Array(HEADER.length + data.length + 4);
  frame.set(HEADER);
  frame[HEADER.length] = type;
  frame[HEADER.length + 1] = data.length;
  frame.set(data, HEADER.length + 2);
  const end = frame.length - 2;
  frame[end] = checksum(frame, end);
  frame[end + 1] = 0x0a;
  return frame;
}

/** A frame that answers `command` with these strings, UTF-8 or whatever bytes they are. Strings that no longer fit are left out. */
export function encodeResult(command: number, strings: readonly Uint8Array[]): Uint8Array {
  return encodeFrame(FrameType.result, encodeStrings(command, strings));
}

/** A frame with one byte of data: a state, or an error. */
export function encodeByte(type: number, value: number): Uint8Array {
  return encodeFrame(type, Uint8Array.of(value));
}

/** The data of an RPC frame; undefined where its length is not what it says. */
export function parseRpc(data: Uint8Array): Rpc | undefined {
  if (data.length < 2 || data[1] !== data.length - 2) return undefined;
  return { command: data[0]!, payload: data.subarray(2) };
}

/** The payload of Command.sendWifi; undefined where a length is not what it says, or bytes are left over. */
export function parseCredentials(payload: Uint8Array): Credentials | undefined {
  const ssidEnd = 1 + payload[0]!; // NaN for an empty payload, which fails below
  const end = ssidEnd + 1 + payload[ssidEnd]!;
  if (end !== payload.length) return undefined;
  return { ssid: payload.slice(1, ssidEnd), password: payload.slice(ssidEnd + 1) };
}

/** Sum of the first `length` bytes, modulo 256. */
export function checksum(bytes: Uint8Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i += 1) sum += bytes[i]!;
  return sum & 0xff;
}

function encodeStrings(command: number, strings: readonly Uint8Array[]): Uint8Array {
  let size = 2;
  let count = 0;
  while (count < strings.length && size + 1 + strings[count]!.length <= MAX_DATA) {
    size += 1 + strings[count]!.length;
    count += 1;
  }
  const data = new Uint8Array(size);
  data[0] = command;
  data[1] = size - 2;
  let at = 2;
  for (let i = 0; i < count; i += 1) {
    data[at] = strings[i]!.length;
    data.set(strings[i]!, at + 1);
    at += 1 + strings[i]!.length;
  }
  return data;
}
