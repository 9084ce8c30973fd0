// Bearer tokens: 128 random bits, shown once, kept as a hash. A hash without salt serves for secrets that nobody can guess.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A device's token, an admin's, a session's: 22 characters of base64url. */
export const TOKEN_PATTERN = /^[A-Za-z0-9_-]{22}$/;

/** A new token. */
export function newToken(): string {
  return randomBytes(16).toString("base64url");
}

/** How it is stored. */
export function hashToken(token: string): string {
  return createHash("sha256").update("broome/1 token|").update(token).digest("hex");
}

/** Compares hashes in constant time. */
export function isSameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** An id for a device or a row: 80 random bits as 16 characters of a-z 2-7 (RFC 4648 section 6, lower case). */
export function newId(): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  let bits = BigInt(`0x${randomBytes(10).toString("hex")}`);
  let id = "";
  for (let i = 0; i < 16; i += 1) {
    id += alphabet[Number(bits & 31n)];
    bits >>= 5n;
  }
  return id;
}
