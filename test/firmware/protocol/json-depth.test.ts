import test from "ava";
import { flat, integer, milliseconds, scalar, text, u32 } from "../../../firmware/protocol/field.js";
import { jsonDepth, parseJson } from "../../../firmware/protocol/json-depth.js";
import { seededRandom } from "../../support/random.js";

const bytes = (json: string) => Uint8Array.from(Buffer.from(json));

test("depth counts brackets outside of strings", (t) => {
  const cases: [string, number][] = [
    ["{}", 1],
    ['{"a":[[]]}', 3],
    ['{"a":"[[[["}', 1],
    ['{"a\\"[[":"\\\\"}', 1],
    ['{"a":"\\\\","b":[1]}', 2],
    ["[[]][[[]]]", 3],
    ["1", 0],
  ];
  for (const [json, depth] of cases) t.is(jsonDepth(bytes(json)), depth, json);
});

test("8 deep is parsed, 9 and 1,000 are refused before anything is parsed", (t) => {
  const nested = (depth: number) => bytes(`{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`);
  t.truthy(parseJson(nested(8)));
  t.throws(() => parseJson(nested(9)), { code: "json-too-deep" });
  t.throws(() => parseJson(nested(1000)), { code: "json-too-deep" });
  t.throws(() => parseJson(bytes("[".repeat(1000))), { code: "json-too-deep" });
  t.throws(() => parseJson(bytes('{"a":'.repeat(1000))), { code: "json-too-deep" });
});

for (const json of [
  "",
  "{",
  "[]",
  "null",
  "5",
  '"text"',
  "{}x",
  "{a:1}",
  '{"a":NaN}',
  '{"a":01}',
  '{"a":1,}',
])
  test(`refused as no JSON object: ${json || "nothing"}`, (t) => {
    t.throws(() => parseJson(bytes(json)), { code: "json-invalid" });
  });

test("bytes that are not UTF-8 are refused", (t) => {
  t.throws(() => parseJson(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), {
    code: "value-not-utf8",
  });
});

test("a depth bracket hidden in a string never makes the count too small", (t) => {
  const random = seededRandom(3);
  const alphabet = ['"', "\\", "[", "]", "{", "}", "a", ",", ":"];
  for (let i = 0; i < 20_000; i++) {
    const json = Array.from({ length: random.below(24) }, () => alphabet[random.below(alphabet.length)]).join(
      "",
    );
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      continue;
    }
    const real = (x: unknown): number =>
      typeof x === "object" && x !== null ? 1 + Math.max(0, ...Object.values(x).map(real)) : 0;
    t.true(jsonDepth(bytes(json)) >= real(value), `seed ${random.seed}: ${json}`);
  }
});

test("u32 takes 0 to 2^32 - 1 and nothing else", (t) => {
  for (const good of [0, 1, 0xffffffff]) t.is(u32("x", good), good);
  for (const bad of [-1, 0x100000000, 2 ** 53, NaN, Infinity, 1.5, "1", null, undefined, true, [1], {}])
    t.throws(() => u32("x", bad), { code: "field-invalid", message: /field x/ });
});

test("milliseconds take integers that are exact", (t) => {
  t.is(milliseconds("x", 2 ** 53 - 1), 2 ** 53 - 1);
  for (const bad of [2 ** 53, 2 ** 60, -1, 0.5, NaN])
    t.throws(() => milliseconds("x", bad), { code: "field-invalid" });
  t.throws(() => integer("x", 256, 255), { code: "field-invalid" });
});

test("text is measured in bytes", (t) => {
  t.is(text("x", "\u00e4\u00e4", 4), "\u00e4\u00e4");
  t.throws(() => text("x", "\u00e4\u00e4", 3), { code: "field-invalid" });
  t.throws(() => text("x", 5, 3), { code: "field-invalid" });
  t.throws(() => text("x", "\ud800", 8), { code: "value-not-utf8" });
});

test("scalars are text, booleans and finite numbers", (t) => {
  for (const good of ["a", "", 1.5, -3, true, false]) t.is(scalar("x", good, 8), good);
  for (const bad of [null, undefined, {}, [], NaN, Infinity, "123456789"])
    t.throws(() => scalar("x", bad, 8), { code: "field-invalid" });
});

test("flat objects: member names, counts and values are bounded; __proto__ is refused", (t) => {
  t.deepEqual(flat("x", { a: 1, "b.c": "d" }, 2, 8), { a: 1, "b.c": "d" });
  const bad: unknown[] = [
    { a: 1, b: 2, c: 3 },
    { a: {} },
    { a: [] },
    { a: null },
    { "": 1 },
    { "a b": 1 },
    { ["a".repeat(33)]: 1 },
    { a: "123456789" },
    [],
    null,
    "a",
    JSON.parse('{"__proto__":1}'),
    JSON.parse('{"__proto__":{"admin":true}}'),
  ];
  for (const value of bad) t.throws(() => flat("x", value, 2, 8), { code: "field-invalid" });
});
