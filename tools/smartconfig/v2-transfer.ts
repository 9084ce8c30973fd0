// What the head of an ESP-Touch v2 transfer says about the groups behind it, and what they hold together.

import { createDecipheriv } from "node:crypto";
import { crc8 } from "./crc8.js";
import { MAX_PASSWORD, MAX_RESERVED, MAX_SSID } from "./credentials.js";
import { BLOCK_LENGTH, GROUP_LENGTH, IV_LENGTH, WIDE_MARK } from "./v2.js";

const LENGTH = 0x7f;

/** What the head promises. */
export interface Shape {
  readonly ssidLength: number;
  readonly passwordLength: number;
  readonly reservedLength: number;
  readonly bssidCrc: number;
  readonly portMark: number;
  readonly security: number; // 0 = in clear
  /** For each group whether its bytes have eight bits (five and a CRC) or seven (six). */
  readonly groups: readonly boolean[];
  /** Bytes of the parts as they travel: password (or all that is sealed), reserved data, IV, SSID. */
  readonly parts: readonly { readonly length: number; readonly wide: boolean }[];
}

export interface Transfer {
  readonly ssid: Uint8Array;
  readonly bssidCrc: number;
  readonly portMark: number;
  readonly sealed: boolean;
  /** Password and reserved data; undefined where they are sealed and this is not the key. */
  open(key: Uint8Array | undefined): { password: Uint8Array; reserved: Uint8Array } | undefined;
}

/** Undefined where the head is damaged, or promises what no sender sends. */
export function shapeOf(head: readonly number[]): Shape | undefined {
  const [ssid, password, reserved, bssidCrc, flags, crc] = head as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (crc8(...head.slice(0, -1)) !== crc) return undefined;
  const security = (flags >> 1) & 3;
  const lengths = [ssid, password, reserved].map((info) => info & LENGTH) as [number, number, number];
  const [ssidLength, passwordLength, reservedLength] = lengths;
  if (ssidLength > MAX_SSID || passwordLength > MAX_PASSWORD || reservedLength > MAX_RESERVED)
    return undefined;
  if (flags >> 6 !== 0 || security === 3) return undefined;
  const isWide = (info: number) => (info & WIDE_MARK) !== 0;
  const together = passwordLength + reservedLength;
  const secret =
    security !== 0
      ? [
          { length: Math.floor(together / BLOCK_LENGTH) * BLOCK_LENGTH + BLOCK_LENGTH, wide: true },
          { length: security === 2 ? IV_LENGTH : 0, wide: true },
        ]
      : isWide(password) || isWide(reserved)
        ? [
            { length: passwordLength, wide: isWide(password) },
            { length: reservedLength, wide: isWide(reserved) },
          ]
        : [{ length: together, wide: false }];
  const parts = [...secret, { length: ssidLength, wide: isWide(ssid) }];
  const groups = parts.flatMap(({ length, wide }) =>
    Array<boolean>(Math.ceil(length / sizeOf(wide))).fill(wide),
  );
  return {
    ssidLength,
    passwordLength,
    reservedLength,
    bssidCrc,
    portMark: (flags >> 3) & 3,
    security,
    groups,
    parts,
  };
}

/** `bytes`: those of all groups, without their CRCs, with their padding. */
export function assemble(shape: Shape, bytes: Uint8Array): Transfer {
  let at = 0;
  const parts = shape.parts.map(({ length, wide }) => {
    const part = bytes.slice(at, at + length);
    at += Math.ceil(length / sizeOf(wide)) * sizeOf(wide);
    return part;
  });
  const secret = parts.slice(0, -1);
  const { security, passwordLength } = shape;
  return {
    ssid: parts.at(-1)!,
    bssidCrc: shape.bssidCrc,
    portMark: shape.portMark,
    sealed: security !== 0,
    open(key) {
      const both = security === 0 ? joined(secret) : unsealed(shape, secret, key);
      return both && { password: both.slice(0, passwordLength), reserved: both.slice(passwordLength) };
    },
  };
}

function unsealed(shape: Shape, secret: Uint8Array[], key: Uint8Array | undefined): Uint8Array | undefined {
  if (!key) return undefined;
  const [sealed, iv] = secret as [Uint8Array, Uint8Array];
  const vector = shape.security === 2 ? iv.subarray(0, BLOCK_LENGTH) : new Uint8Array(BLOCK_LENGTH);
  const cipher = createDecipheriv("aes-128-cbc", key, vector);
  try {
    const plain = Buffer.concat([cipher.update(sealed), cipher.final()]);
    return plain.length === shape.passwordLength + shape.reservedLength ? new Uint8Array(plain) : undefined;
  } catch {
    return undefined; // the padding is none: another key
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function sizeOf(wide: boolean): number {
  return wide ? GROUP_LENGTH - 1 : GROUP_LENGTH;
}
