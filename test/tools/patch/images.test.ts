// Files that hold more than one image: every app is found, patched and mended; what must not be changed is refused.

import test from "ava";
import { blankDefaults } from "../../../firmware/format/defaults-block.js";
import { parseImage, reader, verifyImage } from "../../../firmware/format/image.js";
import { findImages } from "../../../tools/patch/images.js";
import { openPersonal, patch, personalise, readValues, valuesOf } from "../../../tools/patch/patch.js";
import { damage } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";
import { sha256, testImage } from "../../firmware/format/test-image.js";
import { codeOf } from "../../support/code-of.js";
import { appWith, merged, withEboot } from "./third-party-image.js";

const values = { "wifi.ssid": "home", "wifi.password": "correct horse" };

const offsetsOf = (file: Uint8Array) => findImages(file, sha256).map(({ offset }) => offset);

test("one app, a merged file of one and of two, with the bootloader at 0 or at 0x1000", (t) => {
  t.deepEqual(offsetsOf(testImage()), [0]);
  t.deepEqual(offsetsOf(merged([testImage()])), [0, 0x10000]);
  t.deepEqual(offsetsOf(merged([testImage()], { bootloaderOffset: 0x1000 })), [0x1000, 0x10000]);
  t.deepEqual(offsetsOf(merged([testImage(), testImage()])), [0, 0x10000, 0x1f0000]);
});

test("eboot and an Arduino app: two images, without a table", (t) => {
  t.deepEqual(offsetsOf(withEboot(appWith(["x"], { form: "esp8266" }))), [0, 0x1000]);
});

test("every app of a merged file gets the values; all else stays", (t) => {
  const file = merged([testImage(), testImage()]);
  const { image, changed } = patch(file, values, { sha256 });
  for (const offset of [0x10000, 0x1f0000]) {
    const app = image.subarray(offset);
    t.notThrows(() => verifyImage(reader(app), app.length, sha256));
    t.deepEqual(app.slice(0, testImage().length), patch(testImage(), values, { sha256 }).image);
  }
  t.deepEqual(
    changed.map(({ what }) => what),
    ["defaults", "defaults", "checksum", "SHA-256", "checksum", "SHA-256"],
  );
  const declared = (at: number) => changed.some((c) => at >= c.offset && at < c.offset + c.length);
  for (let at = 0; at < file.length; at++)
    if (file[at] !== image[at] && !declared(at)) return void t.fail(`byte ${at}`);
  t.deepEqual(readValues(image, { sha256 }), values);
  t.deepEqual(patch(image, {}, { sha256 }).image, file);
});

test("an app without a block beside one with a block is left as it is", (t) => {
  const file = merged([appWith(["no block here"]), testImage()]);
  const { image } = patch(file, values, { sha256 });
  t.deepEqual(image.subarray(0, 0x1f0000), file.subarray(0, 0x1f0000));
});

test("apps that disagree are ambiguous to read and can be patched over", (t) => {
  const one = patch(testImage(), values, { sha256 }).image;
  const personal = openPersonal(merged([one, testImage()]), sha256);
  t.is(
    codeOf(() => valuesOf(personal)),
    "defaults-ambiguous",
  );
  t.deepEqual(personalise(personal, {}, sha256).image, merged([testImage(), testImage()]));
});

const corruptApp = testImage();
corruptApp[0x400] = corruptApp[0x400]! ^ 1;
const strayBlock = merged([testImage()], { nvs: blankDefaults() });
const twoBlocks = testImage({ block: new Uint8Array([...blankDefaults(), ...blankDefaults()]) });
const signedApp = new Uint8Array(0x2000).fill(0xff);
signedApp.set(testImage());
signedApp.set([0xe7, 2, 0, 0], 0x1000);
const arduino = withEboot(appWith(["x"], { form: "esp8266" }));
const arduinoSigned = new Uint8Array([...arduino, ...seededRandom(4).bytes(256), 0, 1, 0, 0]);
const stray = new Uint8Array([...arduino, ...seededRandom(4).bytes(100)]);
const refused: [title: string, file: Uint8Array, code: string][] = [
  ["whose app is damaged", merged([testImage(), corruptApp]), "image-corrupt"],
  ["whose app is cut", merged([testImage()]).subarray(0, -40), "image-truncated"],
  ["whose app is signed", merged([signedApp]), "image-signed"],
  ["with a block outside of its apps", strayBlock, "defaults-missing"],
  ["one of whose apps has two blocks", merged([testImage(), twoBlocks]), "defaults-ambiguous"],
  ["without a block", merged([appWith(["x"])]), "defaults-missing"],
  ["of the Arduino core, signed", arduinoSigned, "image-signed"],
  ["of the Arduino core, with stray bytes", stray, "image-corrupt"],
  ["of padding alone", new Uint8Array(0x3000).fill(0xff), "image-corrupt"],
];
for (const [title, file, expected] of refused)
  test(`a merged file ${title} is refused: ${expected}`, (t) => {
    const before = file.slice();
    t.is(
      codeOf(() => patch(file, values, { sha256 })),
      expected,
    );
    t.deepEqual(file, before);
  });

test("a refusal inside of a merged file says where", (t) => {
  const error = t.throws(() => patch(merged([testImage(), corruptApp]), values, { sha256 }));
  t.regex(error!.message, /partition ota_1 at 0x1f0000: Checksum failed/);
});

test("damaged merged files end in a code or in a file all of whose apps verify", (t) => {
  const random = seededRandom(78);
  const file = merged([testImage()]);
  for (let i = 0; i < 400; i++) {
    const bytes = damage(random, file);
    let result: Uint8Array;
    try {
      result = patch(bytes, values, { sha256 }).image;
    } catch (error) {
      if (typeof (error as { code?: unknown }).code !== "string")
        return void t.fail(`seed ${random.seed}, case ${i}: ${error}`);
      continue;
    }
    const app = result.subarray(0x10000);
    t.is(parseImage(reader(app), app.length).segments.length, 2);
    t.notThrows(() => verifyImage(reader(app), app.length, sha256), `seed ${random.seed}, case ${i}`);
  }
});
