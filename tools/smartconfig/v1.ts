// ESP-Touch v1, the sender's half: credentials as lengths of UDP datagrams (EsptouchForAndroid: GuideCode, DatumCode, DataCode).
//
// The chip cannot read the datagrams, they are encrypted by the access point; it can see how long they are. Four guide codes
// tell it the overhead; then each byte travels as three lengths: CRC and data in halves around a sequence number.

import { crc8 } from "./crc8.js";
import { type Credentials, checkCredentials } from "./credentials.js";

/** Lengths that no byte has: one less each time, so that the overhead can be read off. */
export const GUIDE_CODES: readonly number[] = [515, 514, 513, 512];
/** Added to every 9-bit value: no datagram is empty. */
export const EXTRA_LENGTH = 40;
/** Marks the second of three lengths: a sequence number. */
export const SEQUENCE_MARK = 0x100;
/** Bytes before the address: total length, password length, CRC of SSID, CRC of BSSID, XOR of all. */
export const HEAD_LENGTH = 5;
export const ADDRESS_LENGTH = 4;
/** Where the BSSID's bytes are put between the others: after the head, then each fourth. */
const BSSID_STRIDE = 4;

/** Lengths of the data's datagrams, three for a byte, in the order of sending. `address` is the sender's own, IPv4. */
export function dataLengths(credentials: Credentials, address: Uint8Array): number[] {
  checkCredentials(credentials);
  const { ssid, password, bssid } = credentials;
  const total = HEAD_LENGTH + ADDRESS_LENGTH + password.length + ssid.length;
  const head = [total, password.length, crc8(...ssid), crc8(...bssid)];
  const body = [...address, ...password, ...ssid];
  const xor = [...head, ...body].reduce((sum, byte) => sum ^ byte, 0);
  const codes = [...head, xor, ...body].map((byte, sequence) => codeLengths(byte, sequence));
  bssid.forEach((byte, i) => codes.splice(HEAD_LENGTH + i * BSSID_STRIDE, 0, codeLengths(byte, total + i)));
  return codes.flat();
}

function codeLengths(byte: number, sequence: number): number[] {
  const crc = crc8(byte, sequence);
  return [(crc & 0xf0) | (byte >> 4), SEQUENCE_MARK | sequence, ((crc & 0x0f) << 4) | (byte & 0x0f)].map(
    (value) => value + EXTRA_LENGTH,
  );
}
