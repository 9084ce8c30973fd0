// Images of the ESP8266, both forms, against esptool's.

import test from "ava";
import { readFileSync } from "node:fs";
import {
  buildImage,
  mendImage,
  parseImage,
  reader,
  verifyImageFile,
  type ImageForm,
} from "../../../firmware/format/image.js";
import { seededRandom } from "../../support/random.js";
import { codeOf } from "../../support/code-of.js";
import { sha256, testImage } from "./test-image.js";

interface EsptoolImage {
  name: string;
  form: ImageForm;
  irom?: string;
  segments: { loadAddress: number; data: string }[];
  image: string;
}
const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/format/esptool-esp8266-images.json", import.meta.url), "utf8"),
) as EsptoolImage[];
const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const header = { chipId: undefined, entry: 0x40100004, flashMode: 2, flashSize: 4, flashFrequency: 0 };

for (const vector of vectors) {
  test(`esptool's image verifies: ${vector.form}, ${vector.name}`, (t) => {
    const info = verifyImageFile(hex(vector.image), sha256);
    t.like(info, { ...header, form: vector.form, hashAppended: false });
    t.is(info.size, vector.image.length / 2);
    const mapped = vector.irom === undefined ? [] : [[0, vector.irom.length / 2]];
    t.deepEqual(
      info.segments.map((s) => [s.loadAddress, s.length]),
      [...mapped, ...vector.segments.map((s) => [s.loadAddress, s.data.length / 2])],
    );
  });
  if (vector.form === "esp8266")
    test(`what we build is esptool's image, byte for byte: ${vector.name}`, (t) => {
      const segments = vector.segments.map((s) => ({ loadAddress: s.loadAddress, data: hex(s.data) }));
      const parts = { ...header, form: "esp8266" as const, minRevision: 0, maxRevision: 0, segments };
      t.is(Buffer.from(buildImage(parts, sha256)).toString("hex"), vector.image);
    });
  test(`a changed byte is noticed and mended: ${vector.form}, ${vector.name}`, (t) => {
    const good = hex(vector.image);
    const { segments, checksumOffset, crcOffset } = parseImage(reader(good), good.length);
    for (const segment of segments) {
      const bytes = good.slice();
      bytes[segment.fileOffset + segment.length - 1]! ^= 0x20;
      t.is(
        codeOf(() => verifyImageFile(bytes, sha256)),
        "image-corrupt",
      );
      const changed = mendImage(bytes, sha256);
      t.deepEqual(
        changed.map(({ offset }) => offset),
        [...(segment.summed ? [checksumOffset] : []), ...(crcOffset === undefined ? [] : [crcOffset])],
      );
      t.notThrows(() => verifyImageFile(bytes, sha256));
      bytes[segment.fileOffset + segment.length - 1]! ^= 0x20;
      mendImage(bytes, sha256);
      t.deepEqual(bytes, good);
    }
  });
  test(`cut anywhere, it is truncated: ${vector.form}, ${vector.name}`, (t) => {
    const bytes = hex(vector.image);
    for (let length = 1; length < bytes.length; length += 1)
      t.is(
        codeOf(() => parseImage(reader(bytes.subarray(0, length)), length)),
        "image-truncated",
      );
  });
}

test("an ESP8266 image is told from one of the ESP32 family by its first load address", (t) => {
  const bytes = testImage();
  t.is(parseImage(reader(bytes), bytes.length).form, "esp32");
  const random = seededRandom(8266);
  for (let i = 0; i < 200; i += 1) {
    const loadAddress = [0x40100000, 0x3ffe8000, 0x40201010][i % 3]! + random.below(0x1000) * 4;
    const segments = [{ loadAddress, data: random.bytes(8 + random.below(100)) }];
    const image = buildImage(
      { ...header, form: "esp8266", minRevision: 0, maxRevision: 0, segments },
      sha256,
    );
    t.is(verifyImageFile(image, sha256).form, "esp8266");
  }
});

test("an EA header with another second byte, or without an E9 header behind it, is corrupt; we make no such images", (t) => {
  const good = hex(vectors.find(({ form }) => form === "esp8266-v2")!.image);
  const other = good.slice();
  other[1] = 3;
  t.is(
    codeOf(() => parseImage(reader(other), other.length)),
    "image-corrupt",
  );
  const { segments } = parseImage(reader(good), good.length);
  const headless = good.slice();
  headless[segments[0]!.fileOffset + segments[0]!.length] = 0;
  t.is(
    codeOf(() => parseImage(reader(headless), headless.length)),
    "image-corrupt",
  );
  const parts = { ...header, form: "esp8266-v2" as const, minRevision: 0, maxRevision: 0 };
  t.is(
    codeOf(() =>
      buildImage({ ...parts, segments: [{ loadAddress: 0x40100000, data: new Uint8Array(4) }] }, sha256),
    ),
    "image-corrupt",
  );
});
