// Images against esptool's, in the bootloader's words; the defaults block; the canonical image.

import test from "ava";
import { readFileSync } from "node:fs";
import { encodeAppDescriptor, parseAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { canonical, isBlank } from "../../../firmware/format/canonical.js";
import {
  blankDefaults,
  BLOCK_CAPACITY,
  encodeDefaults,
  findDefaults,
  marker,
  readDefaults,
  type Defaults,
} from "../../../firmware/format/defaults-block.js";
import { crc32 } from "../../../firmware/format/crc32.js";
import { FormatError } from "../../../firmware/format/error.js";
import {
  buildImage,
  mendImage,
  parseImage,
  reader,
  verifyImage,
  verifyImageFile,
} from "../../../firmware/format/image.js";
import { damage, pick } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";
import { codeOf } from "../../support/code-of.js";
import { sha256, testDescriptor, testImage } from "./test-image.js";

interface EsptoolImage {
  name: string;
  segments: { loadAddress: number; data: string }[];
  digest: boolean;
  image: string;
}
const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/format/esptool-images.json", import.meta.url), "utf8"),
) as EsptoolImage[];
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const header = {
  chipId: 5,
  entry: 0x40380000,
  flashMode: 2,
  flashSize: 2,
  flashFrequency: 15,
  minRevision: 3,
  maxRevision: 199,
};
const verify = (bytes: Uint8Array) => verifyImageFile(bytes, sha256);

for (const vector of vectors) {
  test(`esptool's image verifies: ${vector.name}`, (t) => {
    const info = verify(hex(vector.image));
    t.is(info.size, vector.image.length / 2);
    t.is(info.hashAppended, vector.digest);
    t.like(info, header);
    t.deepEqual(
      info.segments.map((s) => [s.loadAddress, s.length]),
      vector.segments.map((s) => [s.loadAddress, s.data.length / 2]),
    );
  });
  if (vector.digest)
    test(`what we build is esptool's image, byte for byte: ${vector.name}`, (t) => {
      const segments = vector.segments.map((s) => ({ loadAddress: s.loadAddress, data: hex(s.data) }));
      t.deepEqual(Buffer.from(buildImage({ ...header, segments }, sha256)).toString("hex"), vector.image);
    });
}

test("an app descriptor comes back from what esptool shows of it", (t) => {
  const bytes = hex(vectors[0]!.image).subarray(0x20, 0x120);
  const descriptor = parseAppDescriptor(bytes);
  t.deepEqual(descriptor, {
    secureVersion: 7,
    version: "1.2.3-rc.1+bü",
    project: "broome-virtual",
    time: "12:34:56",
    date: "Jan  2 2026",
    idf: "xs-13.3.0",
    elfSha256: Uint8Array.from({ length: 32 }, (_, i) => i),
  });
  t.deepEqual(encodeAppDescriptor(descriptor), new Uint8Array(bytes));
});

test("an app descriptor's texts are bounded both ways", (t) => {
  t.is(
    codeOf(() => encodeAppDescriptor({ ...testDescriptor, version: "1".repeat(32) })),
    "value-too-long",
  );
  t.is(
    codeOf(() => encodeAppDescriptor({ ...testDescriptor, date: "x".repeat(16) })),
    "value-too-long",
  );
  const endless = encodeAppDescriptor(testDescriptor).fill(0x41, 16, 48);
  t.is(
    codeOf(() => parseAppDescriptor(endless)),
    "image-corrupt",
  );
  const nameless = encodeAppDescriptor(testDescriptor).fill(0, 0, 1);
  t.is(
    codeOf(() => parseAppDescriptor(nameless)),
    "image-corrupt",
  );
  t.is(
    codeOf(() => parseAppDescriptor(new Uint8Array(255))),
    "image-corrupt",
  );
});

test("a changed byte and a stale digest are told in the bootloader's words", (t) => {
  const bytes = testImage();
  const sum = bytes[parseImage(reader(bytes), bytes.length).checksumOffset]!;
  bytes[0x200] = bytes[0x200]! ^ 1;
  const wrong = `0x${(sum ^ 1).toString(16)} read 0x${sum.toString(16)}`;
  t.throws(() => verify(bytes), { message: `Checksum failed. Calculated ${wrong}` });
  bytes[parseImage(reader(bytes), bytes.length).checksumOffset] = sum ^ 1;
  t.throws(() => verify(bytes), { message: "Image hash failed - image is corrupt" });
  t.deepEqual(
    mendImage(bytes, sha256).map(({ what }) => what),
    ["SHA-256"],
  );
  t.notThrows(() => verify(bytes));
});

test("mending an image that is right changes nothing", (t) => {
  const bytes = testImage();
  const before = bytes.slice();
  t.deepEqual(mendImage(bytes, sha256), []);
  t.deepEqual(bytes, before);
});

test("verification reads at most 1 KB at a time and nothing beyond the image", (t) => {
  const bytes = testImage();
  verifyImage(
    (offset, length) => {
      t.true(length <= 1024 && offset + length <= bytes.length, `${offset}+${length}`);
      return bytes.slice(offset, offset + length);
    },
    0x1e0000,
    sha256,
  );
});

test("every cut of an image is truncated, never anything else", (t) => {
  const bytes = testImage();
  for (let length = 0; length < bytes.length; length += length < 400 ? 1 : 61)
    t.is(
      codeOf(() => verify(bytes.subarray(0, length))),
      "image-truncated",
      `${length} bytes`,
    );
});

test("flash that was never written, text and noise are told apart", (t) => {
  const noise = seededRandom(5).bytes(4096);
  noise[0] = 0x17;
  t.is(
    codeOf(() => verify(new Uint8Array(4096).fill(0xff))),
    "image-corrupt",
  );
  t.is(
    codeOf(() => verify(new Uint8Array(Buffer.from("#!/bin/sh\n".repeat(200))))),
    "image-corrupt",
  );
  t.is(
    codeOf(() => verify(noise)),
    "image-encrypted",
  );
  t.is(
    codeOf(() => verify(Uint8Array.of(0xea, 4, 0, 0))),
    "image-truncated",
  );
});

test("signed images are told by what follows: Secure Boot V2's block, V1's 68 bytes", (t) => {
  const image = testImage();
  const v2 = new Uint8Array(Math.ceil(image.length / 4096) * 4096 + 4096).fill(0xff);
  v2.set(image);
  v2.set([0xe7, 0x02, 0, 0], v2.length - 4096);
  t.is(
    codeOf(() => verify(v2)),
    "image-signed",
  );
  const v1 = Uint8Array.from([...image, 0, 0, 0, 0, ...seededRandom(1).bytes(64)]);
  t.is(
    codeOf(() => verify(v1)),
    "image-signed",
  );
});

test("padding may follow an image, other bytes may not", (t) => {
  t.is(
    codeOf(() => verify(Uint8Array.from([...testImage(), 0xff, 0xff, 0xff]))),
    "ok",
  );
  t.is(
    codeOf(() => verify(Uint8Array.from([...testImage(), 0xff, 0]))),
    "image-corrupt",
  );
});

test("what no image can hold is not built", (t) => {
  const segment = { loadAddress: 0, data: new Uint8Array(4) };
  t.is(
    codeOf(() => buildImage({ ...header, segments: [] }, sha256)),
    "image-corrupt",
  );
  t.is(
    codeOf(() => buildImage({ ...header, segments: Array(17).fill(segment) }, sha256)),
    "image-corrupt",
  );
});

test("the marker is 16 bytes that are no UTF-8, and stands in no source or constant", (t) => {
  t.is(marker().length, 16);
  t.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(marker()));
  const source = readFileSync(new URL("../../../firmware/format/defaults-block.ts", import.meta.url));
  t.is(source.indexOf(marker()), -1);
});

test("a blank block is blank, a written one comes back", (t) => {
  t.is(blankDefaults().length, 1024);
  t.is(readDefaults(blankDefaults()), undefined);
  const values = { "wifi.ssid": "Café 5G", "trial.uptimeMs": 2000, tofu: true, "x.a": 'quote " { [ \\' };
  t.deepEqual(readDefaults(encodeDefaults(values)), values);
});

test("the defaults' capacity is exact", (t) => {
  const values = (length: number) => ({ "x.a": "a".repeat(length) });
  const overhead = '{"x.a":""}'.length;
  t.is(
    codeOf(() => encodeDefaults(values(BLOCK_CAPACITY - overhead))),
    "ok",
  );
  t.is(
    codeOf(() => encodeDefaults(values(BLOCK_CAPACITY - overhead + 1))),
    "value-too-long",
  );
});

test("a block with a damaged byte is refused, wherever it is but in marker and padding", (t) => {
  const block = encodeDefaults({ "wifi.ssid": "home" });
  const used = 28 + '{"wifi.ssid":"home"}'.length;
  for (let at = 16; at < used; at++)
    for (let bit = 0; bit < 8; bit++) {
      const bad = block.slice();
      bad[at] = bad[at]! ^ (1 << bit);
      t.is(
        codeOf(() => readDefaults(bad)),
        "defaults-corrupt",
        `byte ${at}, bit ${bit}`,
      );
    }
});

test("JSON that is not one flat object is refused before it is parsed", (t) => {
  const block = encodeDefaults({ "x.a": "0123456789" }); // {"x.a":"0123456789"}
  const bodies = ['{"x.a":{"b":12345678}}', "[1,2,3,4,5]", '"text"', "{".repeat(22), '{"a":null}', "{]"];
  for (const body of bodies) {
    const bad = encodeRaw(block, body);
    t.is(
      codeOf(() => readDefaults(bad)),
      "defaults-corrupt",
      body,
    );
  }
});

test("an image without a block and one with two are told apart", (t) => {
  t.is(
    codeOf(() => findDefaults(testImage({ block: new Uint8Array(1024) }))),
    "defaults-missing",
  );
  const two = Uint8Array.from([...blankDefaults(), ...blankDefaults()]);
  t.is(
    codeOf(() => findDefaults(testImage({ block: two }))),
    "defaults-ambiguous",
  );
  t.is(
    codeOf(() => findDefaults(testImage().subarray(0, 0x200))),
    "defaults-missing",
  );
  t.is(
    codeOf(() => findDefaults(marker())),
    "defaults-corrupt",
  );
});

test("canonical undoes any personalisation: 1,000 random blocks", (t) => {
  const random = seededRandom(1000);
  const image = testImage();
  const { offset } = findDefaults(image);
  for (let i = 0; i < 1000; i++) {
    const values: Defaults = {};
    for (let n = random.below(8); n >= 0; n--) {
      const text = Buffer.from(random.bytes(random.below(60))).toString(
        pick(random, ["hex", "base64", "latin1"]),
      );
      values[`x.${random.below(20)}`] = pick<string | number | boolean>(random, [
        text,
        random.below(2 ** 32),
        true,
      ]);
    }
    const personal = image.slice();
    personal.set(encodeDefaults(values), offset);
    mendImage(personal, sha256);
    t.false(isBlank(personal));
    if (Buffer.compare(canonical(personal, sha256), image) !== 0)
      return void t.fail(`seed ${random.seed}, case ${i}: ${JSON.stringify(values)}`);
  }
  t.deepEqual(canonical(image, sha256), image);
});

test("damaged images never verify and never do worse than a FormatError", (t) => {
  const random = seededRandom(31337);
  const image = testImage();
  for (let i = 0; i < 4000; i++) {
    const bytes = damage(random, image);
    if (Buffer.compare(bytes.subarray(0, image.length), image) === 0) continue;
    try {
      verify(bytes);
      // Byte 23 = 0 takes the digest out of force, as the bootloader has it: then only the checksum stands.
      if (bytes[23] === 1) return void t.fail(`seed ${random.seed}, case ${i}: a damaged image verified`);
    } catch (error) {
      if (!(error instanceof FormatError))
        return void t.fail(`seed ${random.seed}, case ${i}: ${String(error)}`);
    }
    try {
      readDefaults(bytes.subarray(findDefaults(bytes).offset));
      parseAppDescriptor(bytes.subarray(0x20));
    } catch (error) {
      if (!(error instanceof FormatError))
        return void t.fail(`seed ${random.seed}, case ${i}: ${String(error)}`);
    }
  }
  t.pass();
});

test("random headers never hang or read out of bounds", (t) => {
  const random = seededRandom(2);
  for (let i = 0; i < 5000; i++) {
    const bytes = random.bytes(24 + random.below(200));
    bytes[0] = 0xe9;
    bytes[1] = random.below(20);
    t.not(
      codeOf(() => verify(bytes)),
      "ok",
      `seed ${random.seed}, case ${i}`,
    );
  }
});

function encodeRaw(block: Uint8Array, body: string): Uint8Array {
  const text = new TextEncoder().encode(body);
  const bytes = block.slice().fill(0xff, 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(20, text.length, true);
  bytes.set(text, 28);
  view.setUint32(24, crc32(text, crc32(bytes.subarray(16, 24))), true);
  return bytes;
}

test("the resource that goes into every build is the blank block", (t) => {
  const file = readFileSync(new URL("../../../firmware/resources/defaults.bin", import.meta.url));
  t.deepEqual(new Uint8Array(file), blankDefaults());
});
