import test from "ava";
import {
  decodeBase64url,
  decodeInto,
  encodeBase64url,
  encodedLength,
} from "../../../firmware/protocol/base64url.js";
import { encodeHex, isHexDigest } from "../../../firmware/protocol/hex.js";
import { seededRandom } from "../../support/random.js";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

test("every length and byte value encodes as Node does, and comes back", (t) => {
  const random = seededRandom(1);
  for (let length = 0; length < 300; length++) {
    const bytes = random.bytes(length);
    const text = encodeBase64url(bytes);
    t.is(text, Buffer.from(bytes).toString("base64url"), `seed ${random.seed}`);
    t.is(text.length, encodedLength(length));
    t.deepEqual(decodeBase64url(text), bytes, `seed ${random.seed}`);
  }
});

test("the vectors of RFC 4648 section 10", (t) => {
  const cases = {
    "": "",
    f: "Zg",
    fo: "Zm8",
    foo: "Zm9v",
    foob: "Zm9vYg",
    fooba: "Zm9vYmE",
    foobar: "Zm9vYmFy",
  };
  for (const [plain, text] of Object.entries(cases)) t.is(encodeBase64url(ascii(plain)), text);
});

for (const [what, text] of [
  ["padding", "Zg=="],
  ["one padding character", "Zm8="],
  ["spare bits set in the last of two", "Zh"],
  ["spare bits set in the last of three", "Zm9"],
  ["a single character", "Z"],
  ["five characters", "Zm9vY"],
  ["a newline", "Zm9v\n"],
  ["a newline inside", "Zm\n9vYm"],
  ["a space", "Zm 9"],
  ["plus", "Zm+v"],
  ["slash", "Zm/v"],
  ["a character beyond ASCII", "Zm9\u00ff"],
  ["a character whose low byte would do", "Zm9\u0176"],
  ["a null", "Zm9\0"],
] as const)
  test(`refused: ${what}`, (t) => {
    t.throws(() => decodeBase64url(text), { code: "base64url-invalid" });
  });

test("one text for one byte string: of all texts of 2, the 256 canonical ones", (t) => {
  let good = 0;
  for (let a = 0; a < 256; a++)
    for (let b = 0; b < 256; b++) {
      try {
        const target = new Uint8Array(1);
        decodeInto(target, 0, Uint8Array.of(a, b), 0, 2);
        good += 1;
      } catch {
        // not canonical
      }
    }
  t.is(good, 256);
});

test("the length asked for is checked before anything is decoded", (t) => {
  t.throws(() => decodeBase64url("Zm9v", 4), { code: "base64url-invalid" });
  t.deepEqual(decodeBase64url("Zm9v", 3), ascii("foo"));
});

test("a character that is left over is refused, though its bits are all zero", (t) => {
  for (const text of ["A", "AAAAA"])
    t.throws(() => decodeInto(new Uint8Array(8), 0, ascii(text), 0, text.length), {
      code: "base64url-invalid",
    });
});

test("decoding in place needs no second buffer", (t) => {
  const buffer = ascii("..Zm9vYmFy.");
  const end = decodeInto(buffer, 2, buffer, 2, 10);
  t.is(Buffer.from(buffer.subarray(2, end)).toString(), "foobar");
});

test("hex digests are 64 lower-case digits and nothing else", (t) => {
  const digest = "0123456789abcdef".repeat(4);
  t.is(encodeHex(Uint8Array.from(Buffer.from(digest, "hex"))), digest);
  t.true(isHexDigest(digest));
  for (const wrong of [
    digest.toUpperCase(),
    digest.slice(1),
    digest + "0",
    digest.slice(1) + "g",
    5,
    null,
    undefined,
  ])
    t.false(isHexDigest(wrong));
});
