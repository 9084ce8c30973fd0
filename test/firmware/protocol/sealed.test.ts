import test from "ava";
import { CompactEncrypt, compactDecrypt } from "jose";
import { createHmac, hkdfSync } from "node:crypto";
import type { Crypto } from "../../../firmware/protocol/crypto.js";
import {
  MAX_PLAINTEXT,
  deriveKeys,
  openReply,
  openRequest,
  parseSealed,
  replyRoom,
  sealReply,
  sealRequest,
  sealedLength,
  tagText,
} from "../../../firmware/protocol/sealed.js";
import { crypto } from "../../../host/crypto.js";
import { jwe } from "../../support/jwe.js";
import { seededRandom } from "../../support/random.js";

const random = seededRandom(4);
const K = random.bytes(32);
const id = "d-7Yk_3";
const g = 1;
const keys = deriveKeys(crypto, K, id);
const plaintext = bytes('{"b":1,"s":2}');
const header = `{"alg":"dir","enc":"A128CBC-HS256","kid":"${id}.${g}"}`;

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

function text(value: Uint8Array): string {
  return Buffer.from(value).toString();
}

function request(b = 1, s = 2) {
  return sealRequest(crypto, keys, { id, g, b, s, plaintext });
}

/** As the server does it: parse, then open. */
function open(message: Uint8Array): Uint8Array {
  return openRequest(crypto, keys, parseSealed(message));
}

/** The code of the refusal, or "opened". */
function verdict(message: Uint8Array): string {
  try {
    open(message);
    return "opened";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("the keys are HKDF's, a different one for each direction and purpose", (t) => {
  for (const [name, label] of [
    ["up", "c2s"],
    ["down", "s2c"],
    ["iv", "iv"],
  ] as const)
    t.deepEqual(
      keys[name],
      new Uint8Array(hkdfSync("sha256", K, "", `broome/1 sync ${label}|${id}`, 32)),
      `${name}`,
    );
});

test("a request opens, and jose opens it too", async (t) => {
  const sealed = request();
  const parsed = parseSealed(sealed.bytes);
  t.is(parsed.id, id);
  t.is(parsed.g, g);
  t.is(parsed.re, undefined);
  t.is(tagText(parsed), sealed.tag);
  t.deepEqual(openRequest(crypto, keys, parsed), plaintext);
  const opened = await compactDecrypt(text(sealed.bytes), keys.up);
  t.deepEqual(new Uint8Array(opened.plaintext), plaintext);
  t.is(JSON.stringify(opened.protectedHeader), header);
});

test("what jose seals, this opens: request and reply, every length around the blocks", async (t) => {
  for (const length of [0, 1, 15, 16, 17, 31, 32, 1024, MAX_PLAINTEXT]) {
    const payload = random.bytes(length);
    const protectedHeader = { alg: "dir", enc: "A128CBC-HS256", kid: `${id}.${g}` };
    const up = await new CompactEncrypt(payload).setProtectedHeader(protectedHeader).encrypt(keys.up);
    t.deepEqual(open(bytes(up)), payload);
    const re = request().tag;
    const down = await new CompactEncrypt(payload)
      .setProtectedHeader({ ...protectedHeader, re })
      .encrypt(keys.down);
    t.deepEqual(openReply(crypto, keys, { id, g, re }, bytes(down)), payload);
  }
});

test("a reply opens for the request that it is bound to, and jose opens it too", async (t) => {
  const { tag } = request();
  const reply = sealReply(crypto, keys, { id, g, re: tag, plaintext });
  const opened = await compactDecrypt(text(reply), keys.down);
  t.is(opened.protectedHeader.re, tag);
  t.deepEqual(new Uint8Array(opened.plaintext), plaintext);
  t.deepEqual(openReply(crypto, keys, { id, g, re: tag }, reply), plaintext);
});

test("every single bit flipped is refused", (t) => {
  const { bytes: sealed } = request();
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = sealed.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    t.not(verdict(flipped), "opened", `bit ${bit}`);
  }
});

test("every single bit of a reply flipped is refused", (t) => {
  const { tag } = request();
  const sealed = sealReply(crypto, keys, { id, g, re: tag, plaintext });
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = sealed.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    t.throws(() => openReply(crypto, keys, { id, g, re: tag }, flipped), undefined, `bit ${bit}`);
  }
});

test("every byte dropped, doubled or added is refused", (t) => {
  const sealed = Buffer.from(request().bytes);
  for (let i = 0; i < sealed.length; i++) {
    const dropped = Buffer.concat([sealed.subarray(0, i), sealed.subarray(i + 1)]);
    const doubled = Buffer.concat([sealed.subarray(0, i + 1), sealed.subarray(i)]);
    t.not(verdict(dropped), "opened", `without byte ${i}`);
    t.not(verdict(doubled), "opened", `byte ${i} twice`);
    t.not(verdict(sealed.subarray(0, i)), "opened", `the first ${i} bytes`);
  }
});

test("every part dropped, doubled or swapped is refused", (t) => {
  const parts = text(request().bytes).split(".");
  for (let i = 0; i < 5; i++) {
    t.not(verdict(bytes(parts.filter((_, at) => at !== i).join("."))), "opened", `without part ${i}`);
    t.not(verdict(bytes(parts.map((part, at) => (at === i ? "" : part)).join("."))), i === 1 ? "" : "opened");
    t.not(
      verdict(bytes(parts.flatMap((part, at) => (at === i ? [part, part] : [part])).join("."))),
      "opened",
    );
    for (let j = 0; j < i; j++) {
      const swapped = parts.slice();
      [swapped[i], swapped[j]] = [parts[j]!, parts[i]!];
      t.not(verdict(bytes(swapped.join("."))), "opened", `parts ${i} and ${j} swapped`);
    }
  }
  const other = text(request().bytes).split(".");
  for (let i = 0; i < 5; i++) {
    if (parts[i] === other[i]) continue;
    const mixed = parts.map((part, at) => (at === i ? other[i]! : part));
    t.is(verdict(bytes(mixed.join("."))), "sealed-unauthenticated", `part ${i} of another message`);
  }
});

test("a good message made by hand opens: the rows below differ from it in one thing", (t) => {
  t.is(verdict(bytes(jwe({ header, key: keys.up, plaintext }))), "opened");
});

const kid = `"kid":"${id}.${g}"`;
for (const [what, parts] of [
  ["alg none", { header: `{"alg":"none","enc":"A128CBC-HS256",${kid}}` }],
  ["alg A128KW", { header: `{"alg":"A128KW","enc":"A128CBC-HS256",${kid}}` }],
  ["alg DIR", { header: `{"alg":"DIR","enc":"A128CBC-HS256",${kid}}` }],
  ["enc A256GCM", { header: `{"alg":"dir","enc":"A256GCM",${kid}}` }],
  ["enc A256CBC-HS512", { header: `{"alg":"dir","enc":"A256CBC-HS512",${kid}}` }],
  ["zip", { header: `{"alg":"dir","enc":"A128CBC-HS256",${kid},"zip":"DEF"}` }],
  ["crit", { header: `{"alg":"dir","enc":"A128CBC-HS256",${kid},"crit":["exp"],"exp":1}` }],
  ["a member more", { header: `{"alg":"dir","enc":"A128CBC-HS256",${kid},"x":1}` }],
  ["a member less", { header: '{"alg":"dir","enc":"A128CBC-HS256"}' }],
  ["alg twice", { header: `{"alg":"dir","alg":"dir","enc":"A128CBC-HS256",${kid}}` }],
  ["kid twice", { header: `{"alg":"dir","enc":"A128CBC-HS256",${kid},${kid}}` }],
  ["__proto__", { header: `{"__proto__":{},"alg":"dir","enc":"A128CBC-HS256",${kid}}` }],
  ["members in another order", { header: `{"enc":"A128CBC-HS256","alg":"dir",${kid}}` }],
  ["another end", { header: `${header.slice(0, -2)}'}` }],
  ["white space", { header: `{"alg": "dir","enc":"A128CBC-HS256",${kid}}` }],
  ["an escape", { header: `{"alg":"d\\u0069r","enc":"A128CBC-HS256",${kid}}` }],
  ["a header nested 1,000 deep", { header: "[".repeat(1000) }],
  ["no header", { header: "" }],
  ["a kid without a generation", { header: `{"alg":"dir","enc":"A128CBC-HS256","kid":"${id}"}` }],
  ["generation 01", { header: `{"alg":"dir","enc":"A128CBC-HS256","kid":"${id}.01"}` }],
  ["generation 2^32", { header: `{"alg":"dir","enc":"A128CBC-HS256","kid":"${id}.4294967296"}` }],
  ["generation NaN", { header: `{"alg":"dir","enc":"A128CBC-HS256","kid":"${id}.NaN"}` }],
  ["an empty id", { header: '{"alg":"dir","enc":"A128CBC-HS256","kid":".1"}' }],
  ["an id that is a path", { header: '{"alg":"dir","enc":"A128CBC-HS256","kid":"../x.1"}' }],
  ["an id of 33 characters", { header: `{"alg":"dir","enc":"A128CBC-HS256","kid":"${"a".repeat(33)}.1"}` }],
  ["a second part", { header, encryptedKey: "AAAA" }],
  ["an IV of 15 bytes", { header, iv: new Uint8Array(15) }],
  ["an IV of 17 bytes", { header, iv: new Uint8Array(17) }],
  ["a tag of 15 bytes", { header, tagLength: 15 }],
  ["a tag of 17 bytes", { header, tagLength: 17 }],
  ["a tag of 32 bytes", { header, tagLength: 32 }],
  ["no tag", { header, tagLength: 0 }],
] as [string, { header: string }][])
  test(`refused under the right key: ${what}`, (t) => {
    t.is(verdict(bytes(jwe({ key: keys.up, plaintext, ...parts }))), "sealed-malformed");
  });

for (const [what, change] of [
  ["padding", (m: string) => `${m}==`],
  ["a newline at the end", (m: string) => `${m}\n`],
  ["a newline before", (m: string) => `\n${m}`],
  ["a newline after a dot", (m: string) => m.replace(".", ".\n")],
  [
    "spare bits in the tag",
    (m: string) => m.slice(0, -1) + String.fromCharCode(m.charCodeAt(m.length - 1) + 1),
  ],
  ["JSON", () => '{"protected":"","ciphertext":""}'],
  ["nothing", () => ""],
  ["four dots", () => "...."],
  ["10,000 dots", () => ".".repeat(10_000)],
] as [string, (message: string) => string][])
  test(`refused: ${what}`, (t) => {
    const code = verdict(bytes(change(jwe({ header, key: keys.up, plaintext }))));
    t.true(code === "sealed-malformed" || code === "base64url-invalid", code);
  });

test("the standard alphabet's + and / are refused where - and _ stood", (t) => {
  let seen = 0;
  for (let i = 0; i < 50; i++) {
    const message = jwe({ header, key: keys.up, plaintext: random.bytes(64) });
    const standard = message.replaceAll("-", "+").replaceAll("_", "/");
    if (standard === message) continue;
    seen += 1;
    t.is(verdict(bytes(standard)), "base64url-invalid");
  }
  t.true(seen > 40);
});

test("wrong padding under a good tag is refused", (t) => {
  // Made by sealing what aes-128-cbc then pads away: the last block's last byte is 0 or 17.
  for (const last of [0, 17, 255]) {
    const block = new Uint8Array(16).fill(last);
    const aad = Buffer.from(header).toString("base64url");
    const iv = new Uint8Array(16);
    const ciphertext = crypto.aesCbcEncrypt(keys.up.subarray(16), iv, block);
    const bits = Buffer.alloc(8);
    bits.writeUInt32BE(aad.length * 8, 4);
    const mac = createHmac("sha256", keys.up.subarray(0, 16));
    const tag = mac.update(aad).update(iv).update(ciphertext).update(bits).digest().subarray(0, 16);
    const parts = [iv, ciphertext, tag].map((part) => Buffer.from(part).toString("base64url"));
    t.is(verdict(bytes([aad, "", ...parts].join("."))), "sealed-unauthenticated");
  }
});

test("a request sent back as its reply is refused, and a reply as a request", (t) => {
  const sealed = request();
  const expected = { id, g, re: sealed.tag };
  t.throws(() => openReply(crypto, keys, expected, sealed.bytes.slice()), { code: "sealed-unauthenticated" });
  const reply = sealReply(crypto, keys, { id, g, re: sealed.tag, plaintext });
  t.is(verdict(reply), "sealed-unauthenticated");
  // A request whose header claims to be the reply: only the second key tells them apart.
  const forged = jwe({ header: header.replace('"}', `","re":"${sealed.tag}"}`), key: keys.up, plaintext });
  t.throws(() => openReply(crypto, keys, expected, bytes(forged)), { code: "sealed-unauthenticated" });
});

test("a reply for another request, boot, device or key generation is refused", (t) => {
  const { tag } = request(1, 2);
  const reply = sealReply(crypto, keys, { id, g, re: tag, plaintext });
  const others = [request(1, 3), request(2, 2), request(1, 2)]; // the last: the same (b, s), another IV
  for (const other of others)
    t.throws(() => openReply(crypto, keys, { id, g, re: other.tag }, reply.slice()), {
      code: "sealed-unauthenticated",
    });
  t.throws(() => openReply(crypto, keys, { id, g: 2, re: tag }, reply.slice()), {
    code: "sealed-unauthenticated",
  });
  const otherKeys = deriveKeys(crypto, K, "other");
  t.throws(() => openReply(crypto, otherKeys, { id: "other", g, re: tag }, reply.slice()), {
    code: "sealed-unauthenticated",
  });
  const sameKeyOtherId = jwe({ header: header.replace(id, "other"), key: keys.up, plaintext });
  t.is(parseSealed(bytes(sameKeyOtherId)).id, "other"); // kid of A on the path of B: the server compares
});

test("the device opens its reply in place; parseSealed alone leaves the bytes as they are", (t) => {
  const { bytes: sealed } = request();
  const before = sealed.slice();
  parseSealed(sealed);
  t.deepEqual(sealed, before);
});

test("IVs differ with (b, s) even where the random generator is stuck at zero", (t) => {
  const stuck: Crypto = { ...crypto, random: (length) => new Uint8Array(length) };
  const ivs = new Set<string>();
  for (let b = 0; b < 8; b++)
    for (let s = 0; s < 8; s++)
      ivs.add(text(sealRequest(stuck, keys, { id, g, b, s, plaintext }).bytes).split(".")[2]!);
  t.is(ivs.size, 64);
});

test("sizes are known before sealing", (t) => {
  for (const length of [0, 15, 16, 100, 1024, 4096]) {
    const payload = new Uint8Array(length);
    const sealed = sealRequest(crypto, keys, { id, g, b: 1, s: 1, plaintext: payload });
    t.is(sealed.bytes.length, sealedLength(`${id}.${g}`.length, false, length));
    const reply = sealReply(crypto, keys, { id, g, re: sealed.tag, plaintext: payload });
    t.is(reply.length, sealedLength(`${id}.${g}`.length, true, length));
  }
  for (let limit = 150; limit < 3000; limit++) {
    const room = replyRoom(id, g, limit);
    if (room >= 0) t.true(sealedLength(`${id}.${g}`.length, true, room) <= limit, `limit ${limit}`);
    t.true(
      sealedLength(`${id}.${g}`.length, true, Math.max(-1, room) + 1) > limit,
      `limit ${limit} wastes room`,
    );
  }
});

test("random changes of several bytes are refused, and so is anything made up", (t) => {
  const sealed = request().bytes;
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  for (let i = 0; i < 5000; i++) {
    const changed = sealed.slice();
    for (let n = random.below(4) + 1; n > 0; n--)
      changed[random.below(changed.length)] = alphabet.charCodeAt(random.below(alphabet.length));
    if (!Buffer.from(changed).equals(sealed))
      t.not(verdict(changed), "opened", `seed ${random.seed}, round ${i}`);
    const made = Uint8Array.from({ length: random.below(300) }, () => alphabet.charCodeAt(random.below(65)));
    t.not(verdict(made), "opened", `seed ${random.seed}, round ${i}`);
  }
});
