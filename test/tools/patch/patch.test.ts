// Patching as a pure function: exact bytes, bad images, bad values.

import test from "ava";
import { blankDefaults, encodeDefaults } from "../../../firmware/format/defaults-block.js";
import { mendImage, parseImage, reader, verifyImageFile } from "../../../firmware/format/image.js";
import { patch, readValues } from "../../../tools/patch/patch.js";
import { checkValue, defaultsKeys, maskValue, mergeValues } from "../../../tools/patch/values.js";
import { damage } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";
import { codeOf } from "../../support/code-of.js";
import { sha256, testImage } from "../../firmware/format/test-image.js";

const values = {
  "wifi.ssid": "Café 5G",
  "wifi.password": "correct horse",
  "trial.uptimeMs": 2000,
  tofu: true,
};

test("a patched image verifies, holds the values, and differs in declared bytes only", (t) => {
  const image = testImage();
  const before = image.slice();
  const { image: patched, changed } = patch(image, values, { sha256 });
  t.deepEqual(image, before, "the input is not touched");
  t.notThrows(() => verifyImageFile(patched, sha256));
  t.deepEqual(readValues(patched, { sha256 }), values);
  t.deepEqual(
    changed.map(({ what }) => what),
    ["defaults", "checksum", "SHA-256"],
  );
  const declared = new Set<number>();
  for (const { offset, length } of changed) for (let i = 0; i < length; i++) declared.add(offset + i);
  for (let at = 0; at < image.length; at++) if (!declared.has(at)) t.is(patched[at], image[at], `byte ${at}`);
  t.is(patched.length, image.length);
});

test("patching blank gives the built image back, whatever was in it", (t) => {
  const image = testImage();
  const { image: patched } = patch(image, values, { sha256 });
  t.deepEqual(patch(patched, {}, { sha256 }).image, image);
});

test("patching the same values again changes nothing", (t) => {
  const { image } = patch(testImage(), values, { sha256 });
  t.deepEqual(patch(image, values, { sha256 }), { image, changed: [] });
});

const image = testImage();
const corrupt = image.slice().fill(0x55, 0x300, 0x310);
const signed = new Uint8Array(8192 + 4096).fill(0xff);
signed.set(image);
signed.set([0xe7, 0x02, 0, 0], 8192);
const noise = seededRandom(9).bytes(5000);
noise[0] = 0x77;
const outside = testImage({ block: new Uint8Array(1024) });
const damaged = encodeDefaults({ "wifi.ssid": "home" });
damaged[30] = damaged[30]! ^ 1;

const badImages: [string, Uint8Array, string][] = [
  ["without a block", testImage({ block: new Uint8Array(1024) }), "defaults-missing"],
  [
    "with two blocks",
    testImage({ block: new Uint8Array([...blankDefaults(), ...blankDefaults()]) }),
    "defaults-ambiguous",
  ],
  ["with a block behind it", new Uint8Array([...outside, ...blankDefaults()]), "image-corrupt"],
  ["with a damaged block", testImage({ block: damaged }), "defaults-corrupt"],
  ["cut in the middle", image.subarray(0, image.length / 2), "image-truncated"],
  ["that is empty", new Uint8Array(0), "image-truncated"],
  ["with a changed byte", corrupt, "image-corrupt"],
  ["that is a text", new TextEncoder().encode("hello ".repeat(300)), "image-corrupt"],
  ["that is signed", signed, "image-signed"],
  ["that is encrypted", noise, "image-encrypted"],
  ["of an ESP8266, second form, cut", Uint8Array.of(0xea, 4, 0, 0, 0, 0, 0, 0), "image-truncated"],
];
for (const [name, bytes, expected] of badImages)
  test(`an image ${name} is refused: ${expected}`, (t) => {
    const before = bytes.slice();
    t.is(
      codeOf(() => patch(bytes, values, { sha256 })),
      expected,
    );
    t.deepEqual(bytes, before);
  });

test("damaged images never come out patched unless they still verify", (t) => {
  const random = seededRandom(77);
  for (let i = 0; i < 1500; i++) {
    const bytes = damage(random, image);
    let result: Uint8Array;
    try {
      result = patch(bytes, values, { sha256 }).image;
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== "string")
        return void t.fail(`seed ${random.seed}, case ${i}: ${error}`);
      continue;
    }
    if (codeOf(() => verifyImageFile(bytes, sha256)) !== "ok")
      return void t.fail(`seed ${random.seed}, case ${i}: patched`);
    verifyImageFile(result, sha256);
  }
  t.pass();
});

test("an image without SHA-256 is patched with its checksum alone", (t) => {
  const bytes = testImage();
  const { checksumOffset } = parseImage(reader(bytes), bytes.length);
  const plain = bytes.slice(0, checksumOffset + 1);
  plain[23] = 0;
  mendImage(plain, sha256);
  const { image: patched, changed } = patch(plain, values, { sha256 });
  t.deepEqual(
    changed.map(({ what }) => what),
    ["defaults", "checksum"],
  );
  t.deepEqual(readValues(patched, { sha256 }), values);
});

const fits = "ä".repeat(16); // 32 bytes
const good: [string, unknown, unknown][] = [
  ["wifi.ssid", fits, fits],
  ["wifi.password", "", ""],
  ["wifi.password", "12345678", "12345678"],
  ["wifi.password", "p".repeat(63), "p".repeat(63)],
  ["wifi.password", "aB".repeat(32), "aB".repeat(32)],
  ["device.name", "", undefined],
  ["device.name", "\u00e4".repeat(16), "\u00e4".repeat(16)],
  ["device.id", "i".repeat(32), "i".repeat(32)],
  ["device.name", null, undefined],
  [
    "server.url",
    "http://192.168.1.7:3000/#abcdefghijklmnopqrstu-",
    "http://192.168.1.7:3000/#abcdefghijklmnopqrstu-",
  ],
  ["server.url", "http://broome.local", "http://broome.local"],
  ["join.key", "A".repeat(30), "A".repeat(30)],
  ["smartconfig.key", "MyEncryptionKey0", "MyEncryptionKey0"],
  ["smartconfig.key", "~ sixteen char !", "~ sixteen char !"],
  ["smartconfig.key", "", undefined],
  ["trial.uptimeMs", "2000", 2000],
  ["trial.deadlineMs", 4000, 4000],
  ["serial.baud", "921600", 921600],
  ["ota.schedule", "daily 02:00 +01:00", "daily 02:00 +01:00"],
  ["ota.schedule", "every 6h", "every 6h"],
  ["ip.address", "10.0.0.255", "10.0.0.255"],
  ["tofu", "true", true],
  ["x.colour", "blue", "blue"],
  ["x.count", 3, 3],
];
for (const [key, given, expected] of good)
  test(`${key} takes ${JSON.stringify(given)?.slice(0, 40)}`, (t) =>
    t.is(checkValue(key, given), expected as never));

const bad: [string, unknown, string][] = [
  ["wifi.ssid", `${fits}x`, "value-too-long"],
  ["wifi.ssid", "a\0b", "value-invalid"],
  ["wifi.ssid", "\ud800", "value-not-utf8"],
  ["wifi.ssid", "caf\ufffd", "value-not-utf8"],
  ["wifi.password", "1234567", "value-invalid"],
  ["wifi.password", "p".repeat(64), "value-too-long"],
  ["device.name", "n".repeat(33), "value-too-long"],
  ["device.id", "i".repeat(33), "value-invalid"],
  ["device.id", "a.b", "value-invalid"],
  ["server.url", "https://x", "value-invalid"],
  ["server.url", "http://x/path", "value-invalid"],
  ["server.url", "http://x/#short", "value-invalid"],
  ["join.key", "A".repeat(29), "value-invalid"],
  ["device.key", "A".repeat(44), "value-invalid"],
  ["smartconfig.key", "A".repeat(15), "value-invalid"],
  ["smartconfig.key", "A".repeat(17), "value-invalid"],
  ["smartconfig.key", "fifteen chars \u00e4", "value-invalid"],
  ["smartconfig.key", "fifteen chars..\n", "value-invalid"],
  ["trial.uptimeMs", "soon", "value-invalid"],
  ["trial.deadlineMs", -1, "value-invalid"],
  ["serial.baud", "1e9", "value-invalid"],
  ["ota.schedule", "nightly", "value-invalid"],
  ["ip.mask", "255.255.256.0", "value-invalid"],
  ["ip.mask", "255.255.255", "value-invalid"],
  ["tofu", "yes", "value-invalid"],
  ["wifi.SSID", "home", "unknown-key"],
  ["x.", "a", "unknown-key"],
  ["__proto__", "a", "unknown-key"],
  ["x.a", { b: 1 }, "value-invalid"],
  ["x.a", "a".repeat(257), "value-too-long"],
];
for (const [key, given, expected] of bad)
  test(`${key} refuses ${JSON.stringify(given).slice(0, 40)}: ${expected}`, (t) => {
    t.is(
      codeOf(() => checkValue(key, given)),
      expected,
    );
  });

test("no message about a secret shows it", (t) => {
  for (const { key, secret } of defaultsKeys)
    if (secret)
      for (const value of ["hunter2", "hunter2".repeat(20), "hunter2\ufffd"]) {
        const error = t.throws(() => checkValue(key, value)) as Error & { help: string };
        t.notRegex(error.message + error.help, /hunter2/);
      }
  t.is(maskValue("wifi.password", "mysecretword"), "m********d");
  t.is(maskValue("wifi.password", "ab"), "********");
  t.is(maskValue("wifi.ssid", "home"), "home");
});

test("values are merged over those present; an empty one takes its key out", (t) => {
  const before = { "wifi.ssid": "old", "device.name": "Bret" };
  t.deepEqual(mergeValues(before, { "wifi.ssid": "new", "device.name": "", "x.a": "1" }), {
    "wifi.ssid": "new",
    "x.a": "1",
  });
  t.deepEqual(before, { "wifi.ssid": "old", "device.name": "Bret" });
});
