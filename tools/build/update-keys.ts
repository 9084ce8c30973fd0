// The public keys compiled into a build: whoever holds one of their private halves can update the devices.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isName } from "../../firmware/protocol/field.js";
import { MAX_KID } from "../../firmware/protocol/update-manifest.js";
import { BroomeError } from "../error.js";
import { keysDirectory } from "../keys-directory.js";

/** Key id and base64url of the 32 bytes of an Ed25519 public key (RFC 8032). */
export type UpdateKey = readonly [kid: string, key: string];

/** As in a manifest's header. */
const kid = z.string().refine((value) => isName(value, MAX_KID));
const key = z.string().regex(/^[\w-]{43}$/, "is not base64url of 32 bytes");
const own = z.object({ kid, key });
/** RFC 8037. */
const jwk = z.object({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), kid, x: key });

/** The public key in a file: `{"kid","key"}` or a JWK (RFC 8037). Throws `release-key-invalid`. */
export function readUpdateKey(file: string): UpdateKey {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw invalid(file, (cause as Error).message);
  }
  if (typeof json === "object" && json !== null && "d" in json)
    throw invalid(
      file,
      "it is a private key",
      "Give the public one (*.pub.json): what is compiled in can be read.",
    );
  const parsed = z.union([own, jwk.transform(({ kid, x }) => ({ kid, key: x }))]).safeParse(json);
  if (!parsed.success)
    throw invalid(
      file,
      `it is neither {kid, key} nor an Ed25519 JWK with a kid of at most ${MAX_KID} of A-Z a-z 0-9 _ -`,
    );
  return [parsed.data.kid, parsed.data.key];
}

/** The public keys of `keys init`: `*.pub.json` in the maker's keys directory, by key id. None where there is no directory. */
export function readUpdateKeys(directory: string = keysDirectory()): UpdateKey[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(".pub.json"));
  return names.map((name) => readUpdateKey(join(directory, name))).sort(([a], [b]) => (a < b ? -1 : 1));
}

function invalid(
  file: string,
  why: string,
  help = "`broome keys init` makes a pair; give its *.pub.json.",
): BroomeError {
  return new BroomeError("release-key-invalid", `${file}: ${why}`, help);
}
