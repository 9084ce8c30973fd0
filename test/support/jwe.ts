// A JWE maker of its own over node:crypto, for messages that a well-kept library refuses to make.

import { createCipheriv, createHmac, randomBytes } from "node:crypto";

export interface Parts {
  header: string; // the protected header's text, as it is to be
  key: Uint8Array; // 32 bytes: MAC, AES
  plaintext: Uint8Array;
  encryptedKey?: string;
  iv?: Uint8Array;
  tagLength?: number;
}

/** A128CBC-HS256 (RFC 7518 section 5.2) in compact form with any header, encrypted key, IV and tag length. */
export function jwe(parts: Parts): string {
  const { header, key, plaintext, encryptedKey = "", iv = randomBytes(16), tagLength = 16 } = parts;
  const aad = Buffer.from(header).toString("base64url");
  const cipher = createCipheriv("aes-128-cbc", key.subarray(16), iv.length === 16 ? iv : randomBytes(16));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const bits = Buffer.alloc(8);
  bits.writeUInt32BE(aad.length * 8, 4);
  const mac = createHmac("sha256", key.subarray(0, 16))
    .update(aad)
    .update(iv)
    .update(ciphertext)
    .update(bits)
    .digest();
  const encoded = [Buffer.from(iv), ciphertext, mac.subarray(0, tagLength)].map((part) =>
    part.toString("base64url"),
  );
  return [aad, encryptedKey, ...encoded].join(".");
}
