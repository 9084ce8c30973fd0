import test from "ava";
import { createHash } from "node:crypto";
import { encodeBase64url } from "../../../firmware/protocol/base64url.js";
import type { Crypto } from "../../../firmware/protocol/crypto.js";
import {
  commitment,
  finishJoin,
  formatJoinKey,
  joinCode,
  makeM2,
  openM1,
  openM3,
  parseJoinKey,
  parseJoinRequest,
  startJoin,
} from "../../../firmware/protocol/join.js";
import type { Admitted, DeviceJoin, ServerJoin } from "../../../firmware/protocol/join.js";
import { generateKeyPair } from "../../../firmware/protocol/noise.js";
import { deriveKeys, openRequest, parseSealed, sealRequest } from "../../../firmware/protocol/sealed.js";
import { crypto } from "../../../host/crypto.js";
import { about as device, joinKey, pin, serverKey } from "../../support/join-parties.js";

const about = { ...device, pin };
const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const text = (value: Uint8Array) => Buffer.from(value).toString();

/** The server's side of M1, as its route does it. */
function admit(body: Uint8Array, key = serverKey, by: Crypto = crypto): ServerJoin & Admitted {
  const join = openM1(by, parseJoinRequest(body), joinKey.secret, key);
  return { ...join, ...makeM2(by, join, { id: "d1", t: 1_700_000_000_000 }) };
}

/** M1 with another message inside, its JSON whole. */
function withMessage(join: DeviceJoin, change: (m: Uint8Array) => Uint8Array): Uint8Array {
  const o = JSON.parse(text(join.body));
  const m = change(Uint8Array.from(Buffer.from(o.m, "base64url")));
  return bytes(JSON.stringify({ ...o, m: encodeBase64url(m) }));
}

test("device and server agree on key, id, pin and the six digits", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const server = admit(device.body);
  const joined = finishJoin(crypto, device, server.body, pin);
  t.deepEqual(server.hello, { ...about, c: commitment(crypto, device.n) });
  t.deepEqual(joined.key, server.key);
  t.is(joined.key.length, 32);
  t.like(joined, { id: "d1", pin, t: 1_700_000_000_000 });
  t.regex(joined.code, /^\d{6}$/);
  t.is(openM3(crypto, { h: server.h, c: server.hello.c }, encodeBase64url(device.n)), joined.code);
  // M3 is a sync under that key.
  const keys = deriveKeys(crypto, joined.key, joined.id);
  const m3 = sealRequest(crypto, keys, { id: "d1", g: 1, b: 1, s: 1, plaintext: bytes("{}") });
  const serverKeys = deriveKeys(crypto, server.key, "d1");
  t.deepEqual(openRequest(crypto, serverKeys, parseSealed(m3.bytes)), bytes("{}"));
});

test("pin, commitment and code are the formulas of the specification", (t) => {
  const [h, n] = [crypto.random(32), crypto.random(16)];
  const sha = (label: string, ...parts: Uint8Array[]) => {
    const hash = createHash("sha256").update(label);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  t.is(pin, sha("broome/1 server key", serverKey.publicKey).subarray(0, 16).toString("base64url"));
  t.is(commitment(crypto, n), sha("broome/1 commit", n).toString("base64url"));
  const digits = sha("broome/1 sas", h, n).readBigUInt64BE(0) % 1_000_000n;
  t.is(joinCode(crypto, h, n), String(digits).padStart(6, "0"));
});

test("join keys as text come back; anything else is refused", (t) => {
  const written = formatJoinKey(joinKey);
  t.is(written.length, 30);
  t.deepEqual(parseJoinKey(written), joinKey);
  for (const bad of ["", written.slice(1), written + "A", written.slice(0, 29) + "B", ` ${written.slice(1)}`])
    t.throws(() => parseJoinKey(bad), { code: "join-key-invalid" });
});

test("no Diffie-Hellman is done for an M1 that the join key does not open", (t) => {
  let multiplications = 0;
  const counting: Crypto = {
    ...crypto,
    x25519: (...x) => ((multiplications += 1), crypto.x25519(...x)),
    x25519Public: (...x) => ((multiplications += 1), crypto.x25519Public(...x)),
  };
  const device = startJoin(crypto, { ...joinKey, secret: crypto.random(16) }, about);
  t.throws(() => admit(device.body, serverKey, counting), { code: "noise-unauthenticated" });
  t.is(multiplications, 0);
  openM1(counting, parseJoinRequest(startJoin(crypto, joinKey, about).body), joinKey.secret, serverKey);
  t.is(multiplications, 0);
});

test("a key's id cannot be exchanged: it is part of the prologue", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const other = text(device.body).replace(joinKey.kid, encodeBase64url(crypto.random(6)));
  t.throws(() => admit(bytes(other)), { code: "noise-unauthenticated" });
});

test("every byte of M1 and M2 flipped is refused; the true M2 is then still taken", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const flip = (i: number) => (m: Uint8Array) => ((m[i]! ^= 1), m);
  const length = Buffer.from(JSON.parse(text(device.body)).m, "base64url").length;
  for (let i = 0; i < length; i++)
    t.throws(() => admit(withMessage(device, flip(i))), { code: "noise-unauthenticated" }, `M1 byte ${i}`);
  const server = admit(device.body);
  const m2 = { ...device, body: server.body };
  const length2 = Buffer.from(JSON.parse(text(server.body)).m, "base64url").length;
  for (let i = 0; i < length2; i++)
    t.throws(
      () => finishJoin(crypto, device, withMessage(m2, flip(i)), pin),
      { code: "noise-unauthenticated" },
      `M2 byte ${i}`,
    );
  t.is(finishJoin(crypto, device, server.body, pin).id, "d1");
});

test("M2 of another exchange is refused", (t) => {
  const [a, b] = [startJoin(crypto, joinKey, about), startJoin(crypto, joinKey, about)];
  const answer = admit(b.body);
  t.throws(() => finishJoin(crypto, a, answer.body, pin), { code: "noise-unauthenticated" });
});

test("another server's key is refused by its pin", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const impostor = admit(device.body, generateKeyPair(crypto));
  const error = t.throws(() => finishJoin(crypto, device, impostor.body, pin), { code: "wrong-server" });
  t.true(error.message.includes(pin));
});

test("n that is not what M1 committed to is refused", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const { h, hello } = admit(device.body);
  t.throws(() => openM3(crypto, { h, c: hello.c }, encodeBase64url(crypto.random(16))), {
    code: "join-commitment",
  });
  for (const bad of ["", "A".repeat(21), "A".repeat(23), "=".repeat(22)])
    t.throws(() => openM3(crypto, { h, c: hello.c }, bad), { code: "base64url-invalid" });
});

for (const [what, body] of [
  ["nothing", ""],
  ["no JSON", "M1"],
  ["an array", "[]"],
  ["another version", `{"v":2,"jk":"${joinKey.kid}","m":"AAAA"}`],
  ["no kid", '{"v":1,"m":"AAAA"}'],
  ["a short kid", '{"v":1,"jk":"abc","m":"AAAA"}'],
  ["a kid that is a number", '{"v":1,"jk":12345678,"m":"AAAA"}'],
  ["no message", `{"v":1,"jk":"${joinKey.kid}"}`],
  ["a message that is not base64url", `{"v":1,"jk":"${joinKey.kid}","m":"A=="}`],
  ["a message nested 1,000 deep", `{"v":1,"m":${"[".repeat(900)}`],
  ["a body of 1,025 bytes", `{"v":1,"jk":"${joinKey.kid}","m":"${"A".repeat(1000)}"}`],
] as const)
  test(`refused as M1: ${what}`, (t) => {
    const code = t.throws<Error & { code: string }>(() => parseJoinRequest(bytes(body))).code;
    t.regex(code, /^(join-malformed|json-invalid|json-too-deep|field-invalid|base64url-invalid)$/);
  });

for (const [what, change] of [
  ["a MAC in capitals", { mac: "02:00:5E:00:53:01" }],
  ["a MAC that is too long", { mac: "02:00:5e:00:53:01:" }],
  ["a chip that is HTML", { chip: "<script>" }],
  ["a product of 33 bytes", { product: "p".repeat(33) }],
  ["a version of 32 bytes", { v: "1".repeat(32) }],
  ["a name of 33 bytes", { name: "ä".repeat(16) + "n" }],
  ["a signal above 0", { rssi: 1 }],
  ["a signal that is no number", { rssi: "-60" as unknown as number }],
  ["a pin of 23 characters", { pin: "A".repeat(23) }],
] as const)
  test(`refused in M1's payload: ${what}`, (t) => {
    const device = startJoin(crypto, joinKey, { ...about, ...change });
    t.throws(() => admit(device.body), { code: "field-invalid" });
  });

test("no signal at all is 0", (t) => {
  t.is(admit(startJoin(crypto, joinKey, { ...about, rssi: 0 }).body).hello.rssi, 0);
});

// --- A full man in the middle: he has the join key (it can be read from any distributed binary), sees and changes all.

test("with a pin the man in the middle is found at once", (t) => {
  const device = startJoin(crypto, joinKey, about);
  const toDevice = admit(device.body, generateKeyPair(crypto));
  t.throws(() => finishJoin(crypto, device, toDevice.body, pin), { code: "wrong-server" });
});

/** Without a pin: what the device shows, and what the owner's page would show, if `openM3` is the server's check. */
function attack(check: typeof openM3, grind: boolean): { deviceCode: string; pageCode: string } {
  const device = startJoin(crypto, joinKey, { ...about, pin: "" });
  const toDevice = admit(device.body, generateKeyPair(crypto));
  const joined = finishJoin(crypto, device, toDevice.body, undefined);
  const toServer = startJoin(crypto, joinKey, about); // commits to a random n before anything of the server is known
  const server = admit(toServer.body);
  // The device's M3 has told him n, so he knows what the device shows. He looks for an n' that makes the page show it too.
  let n = toServer.n;
  for (let i = 0; grind && joinCode(crypto, server.h, n) !== joined.code; i++) {
    n = new Uint8Array(16);
    new DataView(n.buffer).setUint32(0, i);
  }
  const pageCode = check(crypto, { h: server.h, c: server.hello.c }, encodeBase64url(n));
  return { deviceCode: joined.code, pageCode };
}

test("without a pin, the codes of a man in the middle differ", (t) => {
  const { deviceCode, pageCode } = attack(openM3, false);
  t.not(deviceCode, pageCode); // the same by chance once in a million runs
});

test("grinding for the same code is refused by the commitment, and succeeds within seconds without it", (t) => {
  t.throws(() => attack(openM3, true), { code: "join-commitment" });
  const withoutCommitment: typeof openM3 = (by, { h }, n) =>
    joinCode(by, h, Uint8Array.from(Buffer.from(n, "base64url")));
  const started = Date.now();
  const { deviceCode, pageCode } = attack(withoutCommitment, true);
  t.is(deviceCode, pageCode);
  t.log(`a collision of six digits without the commitment: ${Date.now() - started} ms`);
});
