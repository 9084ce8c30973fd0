// Fuzz of ESP-Touch v2's reserved data, which anybody near a board can send: refused, or one server and at most one key.

import { deepEqual } from "node:assert/strict";
import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import { parseJoinKey } from "../../firmware/protocol/join.js";
import { parseReserved } from "../../firmware/protocol/reserved-data.js";
import { encodeReserved } from "../../firmware/protocol/reserved-data-writer.js";
import { formatServerUrl, parseServerUrl } from "../../firmware/protocol/server-url.js";
import { damage, pick } from "../support/damage.js";
import type { Random } from "../support/random.js";
import { accepted, hasCode, must, type Fuzz } from "./fuzz.js";

const refuses = hasCode("reserved-data-foreign", "reserved-data-invalid", "server-url-invalid");

function written(random: Random): Uint8Array {
  const host = pick(random, ["a", "broome.local", "10.0.0.1", "255.255.255.0", "twenty-characters.ab"]);
  const pin = pick(random, [undefined, encodeBase64url(random.bytes(16))]);
  const joinKey = pick(random, [undefined, encodeBase64url(random.bytes(22))]);
  return encodeReserved({ server: { host, port: 1 + random.below(65535), pin }, joinKey });
}

/** Ours in shape: the rest is up to the parser. */
function forged(random: Random): Uint8Array {
  const bytes = random.bytes(random.below(80));
  bytes.set([0xb1, random.below(8)].slice(0, bytes.length));
  if (bytes.length > 5)
    bytes[4] = pick(random, [bytes.length - 6, bytes.length - 22, bytes.length - 44, 255]) & 255;
  if (bytes.length > 2) bytes[bytes.length - 1] = pick(random, [0xb1, 0]);
  return bytes.map((byte, i) =>
    i > 4 && i < 30 && random.below(2) ? pick(random, [...Buffer.from("az09.-")]) : byte,
  );
}

export const reservedData: Fuzz = {
  name: "reserved data",
  try(random) {
    const good = written(random);
    must(accepted(() => parseReserved(good), refuses) !== undefined, "refused what the writer wrote");
    must(
      accepted(() => parseReserved(good.subarray(0, random.below(good.length))), refuses) === undefined,
      "took what was cut",
    );
    const bytes = pick(random, [
      () => damage(random, good),
      () => forged(random),
      () => random.bytes(random.below(80)),
    ])();
    const read = accepted(() => parseReserved(bytes), refuses);
    if (read === undefined) return;
    must(bytes.length <= 64 && bytes[0] === 0xb1 && bytes.at(-1) === 0xb1, "took what is not ours");
    deepEqual(parseServerUrl(formatServerUrl(read.server)), read.server);
    if (read.joinKey !== undefined) parseJoinKey(read.joinKey);
    const again = encodeReserved(read);
    must(again.length <= bytes.length, "more than there was");
    deepEqual(parseReserved(again), read);
  },
};
