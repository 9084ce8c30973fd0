// The points of Curve25519 with which X25519 gives zero, whatever the secret: known by their bytes, so that refusing one
// costs no computation (RFC 7748 section 6.1; the orders of the curve and its twist are 8 and 4 times a prime).

import { equalBytes } from "../firmware/protocol/equal.js";

/** u-coordinates, little-endian: order 4; 1; the two of order 8; -1; and the other spellings of 0 and 1 below 2^255. */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Buffer.from(hex, "hex"));

/** True for 32 bytes that X25519 takes for such a point: the top bit does not count (RFC 7748 section 5). */
export function isLowOrder(publicKey: Uint8Array): boolean {
  const u = Uint8Array.from(publicKey);
  u[31]! &= 0x7f;
  return LOW_ORDER.some((point) => equalBytes(point, u));
}
