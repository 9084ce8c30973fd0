import test from "ava";
import { ssidText } from "../../../firmware/connect/networks.js";
import type { FormatError } from "../../../firmware/format/error.js";
import {
  MAX_CONFIGURATION,
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  isAfter,
} from "../../../firmware/protocol/sync-message.js";
import type { SyncReply, SyncRequest } from "../../../firmware/protocol/sync-message.js";
import { seededRandom } from "../../support/random.js";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const digest = "0123456789abcdef".repeat(4);

const least: SyncRequest = { b: 1, s: 2, u: 3, t: 0, w: 0, m: 1024, p: 0, c: 0 };
const most: SyncRequest = {
  ...least,
  u: 2 ** 53 - 1,
  w: 50,
  r: [
    [1, 1, 1000, "temperature", 21.5],
    [1, 2, 1000, "door.open", true],
    [2, 1, 5, "note", "\u00e4 \u{1f600}"],
  ],
  v: [[101, '{"state":"idle"}']],
  l: [[2, "ota", "1.0.1", 60000, "1.0.0 to 1.0.1"]],
  x: { ssid: "net", ip: "10.0.0.2", rssi: -60, version: "1.0.0" },
  o: { state: "downloading", version: "1.0.1", percent: 40, reason: "none" },
  j: { n: "A".repeat(22) },
  d: { place: "shed" },
};
const reply: SyncReply = { t: 1_700_000_000_000 };
const fullReply: SyncReply = {
  ...reply,
  a: [2, 1],
  la: 2,
  n: "shed",
  p: 9,
  w: [
    [8, 100, 1],
    [9, 5, "on"],
  ],
  c: { n: 4, v: { interval: 60, unit: "C" } },
  d: { place: "shed" },
  u: { v: "1.0.1", m: digest, down: true, again: true },
};

test("requests come back as they were", (t) => {
  for (const request of [least, most]) t.deepEqual(decodeRequest(encodeRequest(request, 4096)), request);
});

test("replies come back as they were", (t) => {
  const replies: SyncReply[] = [
    reply,
    fullReply,
    { ...reply, e: "stale", hb: 7 },
    { ...reply, e: "pending" },
  ];
  for (const r of replies) t.deepEqual(decodeReply(encodeReply(r, 4096)), r);
});

test("more than the limit is not encoded", (t) => {
  const { length } = encodeRequest(most, 4096);
  t.is(encodeRequest(most, length).length, length);
  t.throws(() => encodeRequest(most, length - 1), { code: "message-too-long" });
  t.throws(() => encodeReply(fullReply, 100), { code: "message-too-long" });
});

test("members that this version does not know are left out", (t) => {
  t.deepEqual(decodeRequest(bytes(JSON.stringify({ ...least, zz: { a: [1] }, __proto__x: 1 }))), least);
  t.deepEqual(decodeReply(bytes(JSON.stringify({ ...reply, zz: 1 }))), reply);
});

test("__proto__ as a member does nothing", (t) => {
  const json = JSON.stringify(least).replace("{", '{"__proto__":{"r":[[1,1,1,"x",1]],"j":{"n":"x"}},');
  const request = decodeRequest(bytes(json));
  t.deepEqual(request, least);
  t.is(request.r, undefined);
  t.is(request.j, undefined);
});

test("every number of a request is checked", (t) => {
  for (const name of Object.keys(least)) {
    for (const bad of [-1, 1.5, 2 ** 53, NaN, Infinity, "1", null, true, [], {}]) {
      const json = bytes(JSON.stringify({ ...least, [name]: bad }));
      t.throws(() => decodeRequest(json), { code: "field-invalid" }, `${name}: ${String(bad)}`);
    }
    const { [name as keyof SyncRequest]: _, ...without } = least;
    t.throws(
      () => decodeRequest(bytes(JSON.stringify(without))),
      { code: "field-invalid" },
      `without ${name}`,
    );
    if (name === "u" || name === "t") continue; // milliseconds
    const above = bytes(JSON.stringify({ ...least, [name]: 2 ** 32 }));
    t.throws(() => decodeRequest(above), { code: "field-invalid" }, `${name}: 2^32`);
  }
});

const reading = [1, 1, 0, "x", 1];
for (const [what, fields] of [
  ["a hold of 51 s", { w: 51 }],
  ["readings that are no array", { r: {} }],
  ["129 readings", { r: Array.from({ length: 129 }, (_, i) => [1, i, 0, "x", 1]) }],
  ["a reading of 4", { r: [[1, 1, 0, "x"]] }],
  ["a reading of 6", { r: [[...reading, 1]] }],
  ["a reading without a name", { r: [[1, 1, 0, "", 1]] }],
  ["a reading named __proto__", { r: [[1, 1, 0, "__proto__", 1]] }],
  ["a reading with a name of 33", { r: [[1, 1, 0, "x".repeat(33), 1]] }],
  ["a reading with a space in its name", { r: [[1, 1, 0, "a b", 1]] }],
  ["a reading whose value is null", { r: [[1, 1, 0, "x", null]] }],
  ["a reading whose value is an array", { r: [[1, 1, 0, "x", [1]]] }],
  ["a reading whose text is 257 bytes", { r: [[1, 1, 0, "x", "\u00e4".repeat(129)]] }],
  ["readings out of order", { r: [[1, 2, 0, "x", 1], reading] }],
  ["the same reading twice", { r: [reading, reading] }],
  ["pin 256", { v: [[256, 1]] }],
  ["pin -1", { v: [[-1, 1]] }],
  ["33 pins", { v: Array.from({ length: 33 }, (_, i) => [i, 1]) }],
  ["a pin without a value", { v: [[1]] }],
  ["9 ledger entries", { l: Array.from({ length: 9 }, (_, i) => [i, "user", "1.0.0", 0, ""]) }],
  ["a ledger entry of 4", { l: [[1, "user", "1.0.0", 0]] }],
  ["a state that is an array", { x: [] }],
  ["a state that nests", { x: { a: { b: 1 } } }],
  ["25 members of state", { x: Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`a${i}`, i])) }],
  ["an update state that is not one", { o: { state: "exploding" } }],
  ["an update state that is a name of Object's", { o: { state: "constructor" } }],
  ["101 percent", { o: { state: "idle", percent: 101 } }],
  ["n of 15 bytes", { j: { n: "A".repeat(20) } }],
  ["n that is not canonical", { j: { n: "A".repeat(21) + "B" } }],
  ["j without n", { j: {} }],
  ["a state's text of 67 bytes", { x: { a: "x".repeat(67) } }],
  ["a property that is null", { d: { a: null } }],
] as [string, object][])
  test(`refused in a request: ${what}`, (t) => {
    const error = t.throws<Error & { code: string }>(() =>
      decodeRequest(bytes(JSON.stringify({ ...least, ...fields }))),
    );
    t.regex(error.code, /^(field-invalid|base64url-invalid)$/);
  });

test("with a list of faults, only the invalid parts are left out", (t) => {
  const faults: FormatError[] = [];
  const broken = {
    ...most,
    ...{ r: [reading, reading], o: { state: "exploding" }, j: { n: "A".repeat(21) + "B" } },
    ...{ x: { ssid: "net", a: null, [`0x`]: "f".repeat(67) }, d: { "a b": 1, place: "shed" } },
  };
  const { r: _r, o: _o, j: _j, ...rest } = most;
  t.deepEqual(decodeRequest(bytes(JSON.stringify(broken)), faults), { ...rest, x: { ssid: "net" } });
  t.is(faults.length, 6);
  t.throws(() => decodeRequest(bytes(JSON.stringify({ ...most, w: 51 })), []), { code: "field-invalid" });
  t.throws(() => decodeRequest(bytes("{"), []), { code: "json-invalid" });
});

test("the longest name of a network that a device can say is taken", (t) => {
  const ssid = ssidText(new Uint8Array(32).fill(0xff));
  t.is(decodeRequest(encodeRequest({ ...least, x: { ssid } }, 1024)).x!.ssid, ssid);
});

for (const [what, fields] of [
  ["no time", { t: undefined }],
  ["time 2^53", { t: 2 ** 53 }],
  ["a of one", { a: [1] }],
  ["a of three", { a: [1, 2, 3] }],
  ["a with NaN", { a: [1, NaN] }],
  ["la 2^32", { la: 2 ** 32 }],
  ["a name of 33 bytes", { n: "n".repeat(33) }],
  ["33 wishes", { w: Array.from({ length: 33 }, (_, i) => [i, 1, 1]) }],
  ["a wish without a revision", { w: [[1, 1]] }],
  ["a wish for pin 256", { w: [[1, 256, 1]] }],
  ["a configuration without a number", { c: { v: {} } }],
  ["a configuration that nests", { c: { n: 1, v: { a: {} } } }],
  [
    "a configuration above its bound",
    { c: { n: 1, v: { a: "x".repeat(256), b: "x".repeat(256), c: "x".repeat(MAX_CONFIGURATION - 530) } } },
  ],
  ["an offer without a digest", { u: { v: "1.0.0" } }],
  ["an offer with a path for a digest", { u: { v: "1.0.0", m: "../".repeat(21) + "a" } }],
  ["an offer whose version is 32 bytes", { u: { v: "1".repeat(32), m: digest } }],
  ["an error it does not know", { e: "reboot" }],
  ["stale without hb", { e: "stale" }],
] as [string, object][])
  test(`refused in a reply: ${what}`, (t) => {
    t.throws(() => decodeReply(bytes(JSON.stringify({ ...reply, ...fields }))), { code: "field-invalid" });
  });

test("only true makes an offer go down or again", (t) => {
  for (const value of [1, "true", {}, null, false])
    t.deepEqual(
      decodeReply(
        bytes(JSON.stringify({ ...reply, u: { v: "1.0.0", m: digest, down: value, again: value } })),
      ).u,
      { v: "1.0.0", m: digest },
    );
});

test("order of (boot, sequence)", (t) => {
  t.true(isAfter(2, 0, 1, 9));
  t.true(isAfter(1, 2, 1, 1));
  t.false(isAfter(1, 1, 1, 1));
  t.false(isAfter(1, 9, 2, 0));
});

test("changed messages are decoded or refused with a code, never anything else", (t) => {
  const random = seededRandom(5);
  const seeds = [encodeRequest(most, 4096), encodeReply(fullReply, 4096)];
  const codes = /^(field-invalid|json-invalid|json-too-deep|value-not-utf8|base64url-invalid)$/;
  for (let i = 0; i < 10_000; i++) {
    const changed = seeds[i & 1]!.slice();
    for (let n = random.below(3) + 1; n > 0; n--) changed[random.below(changed.length)] = random.below(256);
    for (const decode of [decodeRequest, decodeReply]) {
      try {
        decode(changed);
      } catch (error) {
        t.regex((error as { code: string }).code, codes, `seed ${random.seed}, round ${i}`);
      }
    }
  }
});
