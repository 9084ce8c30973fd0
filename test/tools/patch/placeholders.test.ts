// Placeholders of other projects' binaries: found, told from other texts, filled, and every sum mended.

import test from "ava";
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { mendImage, verifyImageFile, verifyImage, reader } from "../../../firmware/format/image.js";
import { open } from "../../../tools/patch/edits.js";
import { fillPlaceholders, findPlaceholders } from "../../../tools/patch/placeholders.js";
import {
  espBinaryPatcher,
  parseTemplate,
  refuseValue,
  type Field,
  type Template,
} from "../../../tools/patch/template.js";
import { damage, pick } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";
import { sha256 } from "../../firmware/format/test-image.js";
import { codeOf } from "../../support/code-of.js";
import {
  appWith,
  laterPlaceholders,
  merged,
  placeholders,
  v2AppWith,
  withEboot,
} from "./third-party-image.js";

const values = {
  DEVCNAME: "Witty",
  WIFISSID: "Café 5G",
  WIFIPASS: "very-very-secret",
  CLOUDNAM: "Thing4",
  DEVCCRED: "even-more-secret",
};

function fill(file: Uint8Array, given: Record<string, string>, template: Template = espBinaryPatcher) {
  const opened = open(file, sha256);
  return fillPlaceholders(opened, findPlaceholders(opened, template), new Map(Object.entries(given)), sha256);
}

const names = (file: Uint8Array, template: Template = espBinaryPatcher) =>
  findPlaceholders(open(file, sha256), template).map(({ field, width, places }) => [
    field.name,
    width,
    places.length,
  ]);

const one = (placeholder: string, more: object = {}) =>
  parseTemplate(JSON.stringify({ fields: [{ placeholder, ...more }] }), "test.json");

test("the first five, with the widths that the binary has", (t) => {
  t.deepEqual(names(appWith(placeholders)), [
    ["WIFISSID", 16, 1],
    ["WIFIPASS", 24, 1],
    ["DEVCNAME", 16, 1],
    ["CLOUDNAM", 16, 1],
    ["DEVCCRED", 16, 1],
  ]);
});

test("the longer list; CLOUDNAM is the host where there is a DEVCUSER, with a default", (t) => {
  const found = findPlaceholders(open(appWith(laterPlaceholders), sha256), espBinaryPatcher);
  t.is(found.length, 11);
  t.like(found.find(({ field }) => field.name === "CLOUDNAM")?.field, { default: "iot.thinger.io" });
  const five = findPlaceholders(open(appWith(placeholders), sha256), espBinaryPatcher);
  const cloud = five.find(({ field }) => field.name === "CLOUDNAM")!.field;
  t.is(cloud.title, "Cloud user name");
  t.is(cloud.default, undefined);
});

const forms: [title: string, file: Uint8Array, mended: string[]][] = [
  ["ESP32 app", appWith(placeholders), ["checksum", "SHA-256"]],
  ["ESP8266 app, first form", appWith(placeholders, { form: "esp8266" }), ["checksum"]],
  ["merged ESP32 file", merged([appWith(placeholders)]), ["checksum", "SHA-256"]],
  ["Arduino's ESP8266 file", withEboot(appWith(placeholders, { form: "esp8266" })), ["checksum"]],
];
for (const [title, file, mended] of forms)
  test(`${title}: values lie where the placeholders were, ${mended.join(" and ")} are right`, (t) => {
    const { image, changed } = fill(file, values);
    t.notThrows(() => open(image, sha256));
    const text = Buffer.from(image).toString("latin1");
    const all = placeholders.map((one) => {
      const value = values[one.trim() as keyof typeof values];
      return Buffer.from(value).toString("latin1").padEnd(one.length, "\0");
    });
    t.true(text.includes(`\0${all.join("\0")}\0`), "in order, padded with zeros");
    t.deepEqual(
      changed.map(({ what }) => what),
      [...["WIFISSID", "WIFIPASS", "DEVCNAME", "CLOUDNAM", "DEVCCRED"], ...mended],
    );
    t.is(image.length, file.length);
  });

for (const where of ["flash", "ram"] as const)
  test(`ESP8266 app, second form, texts in ${where}: the CRC is mended`, (t) => {
    const file = v2AppWith(placeholders, where);
    mendImage(file, sha256);
    verifyImageFile(file, sha256);
    const { image, changed } = fill(file, values);
    t.notThrows(() => verifyImageFile(image, sha256));
    t.deepEqual(
      changed.map(({ what }) => what).slice(5),
      where === "flash" ? ["CRC-32"] : ["checksum", "CRC-32"],
    );
  });

test("what the Arduino core makes of the values is byte for byte what patching makes", (t) => {
  const vector = JSON.parse(
    readFileSync(new URL("../../vectors/format/arduino-esp8266.json", import.meta.url), "utf8"),
  ) as { values: Record<string, string>; before: string; after: string };
  const bytes = (text: string) => new Uint8Array(inflateSync(Buffer.from(text, "base64")));
  const { image, changed } = fill(bytes(vector.before), vector.values);
  t.deepEqual(Buffer.from(image).toString("hex"), Buffer.from(bytes(vector.after)).toString("hex"));
  t.is(changed.at(-1)?.what, "flash CRC");
  const stale = bytes(vector.before);
  stale[0x1014]! ^= 1;
  t.is(
    codeOf(() => open(stale, sha256)),
    "image-corrupt",
  );
});

test("the same placeholder in two apps, and twice in one: all are filled, and counted", (t) => {
  const twice = appWith([...placeholders, "something", "WIFISSID        "]);
  t.deepEqual(names(twice)[0], ["WIFISSID", 16, 2]);
  const file = merged([twice, appWith(placeholders)]);
  t.deepEqual(names(file)[0], ["WIFISSID", 16, 3]);
  const { image } = fill(file, values);
  t.is(Buffer.from(image).toString("latin1").split("WIFISSID").length, 1);
  for (const at of [0, 0x10000, 0x1f0000])
    t.notThrows(() => verifyImage(reader(image.subarray(at)), image.length - at, sha256));
});

test("places of different width: the narrowest decides, each is padded to its own", (t) => {
  const file = appWith(["WIFISSID                ", "WIFISSID        "]);
  t.deepEqual(names(file), [["WIFISSID", 16, 2]]);
  t.is(
    codeOf(() => fill(file, { WIFISSID: "seventeen letters" })),
    "value-too-long",
  );
  const { image } = fill(file, { WIFISSID: "home" });
  t.true(
    Buffer.from(image)
      .toString("latin1")
      .includes(`\0${"home".padEnd(24, "\0")}\0${"home".padEnd(16, "\0")}\0`),
  );
});

test("fields without a value stay as they are", (t) => {
  const { image } = fill(appWith(placeholders), { WIFISSID: "home" });
  t.deepEqual(names(image), [
    ["WIFIPASS", 24, 1],
    ["DEVCNAME", 16, 1],
    ["CLOUDNAM", 16, 1],
    ["DEVCCRED", 16, 1],
  ]);
});

test("words that only look like a placeholder are left alone", (t) => {
  const file = appWith(["TZ_OFFSET is not set", "WIFISSID", "MY_WIFISSID_KEY", "TZ_OFF  "]);
  t.deepEqual(names(file), [["TZ_OFF", 8, 1]]);
  const { image } = fill(file, { TZ_OFF: "-3600" });
  t.regex(Buffer.from(image).toString("latin1"), /TZ_OFFSET is not set\0WIFISSID\0MY_WIFISSID_KEY\0-3600\0/);
});

const nvs = new Uint8Array(Buffer.from("\0WIFISSID        \0"));
const ambiguous: [title: string, file: Uint8Array, template?: Template][] = [
  ["at the end of a longer text", appWith(["Network: WIFISSID        "])],
  ["with more text behind its padding", appWith(["WIFISSID        !"])],
  ["outside of every app", merged([appWith(placeholders)], { nvs })],
  ["of another width than the template's", appWith(["WIFISSID            "]), one("WIFISSID        ")],
];
for (const [title, file, template] of ambiguous)
  test(`a placeholder ${title} is refused`, (t) => {
    t.is(
      codeOf(() => names(file, template)),
      "placeholder-ambiguous",
    );
  });

test("a template may say that a placeholder stands within a longer text", (t) => {
  const file = appWith(["ssid=WIFISSID        "]);
  const { image } = fill(file, { WIFISSID: "home" }, one("WIFISSID        ", { within: true }));
  t.true(Buffer.from(image).toString("latin1").includes("\0ssid=home\0"));
});

test("a template may have placeholders without padding: they are as wide as they are", (t) => {
  const template = one("@@NETWORK_NAME_GOES_HERE@@");
  t.deepEqual(names(appWith(["@@NETWORK_NAME_GOES_HERE@@"]), template), [
    ["@@NETWORK_NAME_GOES_HERE@@", 26, 1],
  ]);
});

test("no placeholder at all is an error that names them; a patched file has none", (t) => {
  const { image } = fill(appWith(placeholders), values);
  t.is(
    codeOf(() => names(image)),
    "placeholder-missing",
  );
  t.is(
    codeOf(() => names(appWith(["hello"]))),
    "placeholder-missing",
  );
});

const later = appWith(laterPlaceholders);
const badValues: [name: string, value: string, code: string][] = [
  ["WIFISSID", "x".repeat(25), "value-too-long"],
  ["WIFISSID", "ä".repeat(13), "value-too-long"],
  ["WIFISSID", "caf\ufffd", "value-not-utf8"],
  ["WIFISSID", "\ud800", "value-not-utf8"],
  ["WIFIPASS", "a\0b", "value-invalid"],
  ["TZ_OFF", "one", "value-invalid"],
  ["TZ_OFF", "3600.5", "value-invalid"],
  ["TZ_OFF", "60000", "value-invalid"],
  ["DST_OFF", "-50000", "value-invalid"],
  ["LATITD", "91", "value-invalid"],
  ["LATITD", "1e1", "value-invalid"],
  ["LATITD", "48.735612", "value-too-long"],
  ["LONGTD", "-180.1", "value-invalid"],
  ["OWMAPI", "too short", "value-invalid"],
];
for (const [name, value, expected] of badValues)
  test(`${name} refuses ${JSON.stringify(value).slice(0, 20)}: ${expected}`, (t) => {
    const error = t.throws(() => fill(later, { [name]: value })) as Error & { code: string };
    t.is(error.code, expected);
    if (name === "WIFIPASS") t.notRegex(error.message, /a\0b/);
  });

test("the longer list takes what its makers mean", (t) => {
  const key = "0123456789abcdef".repeat(2);
  const given = { TZ_OFF: "-12600", DST_OFF: "7200", LONGTD: "-179.99", LATITD: "-17.96", OWMAPI: key };
  const text = Buffer.from(fill(later, given).image).toString("latin1");
  t.true(text.includes(`\0-12600\0\0\x007200\0\0\0\0\0-179.99\0\0-17.96\0\0\0${key}\0`));
});

test("all of the longer list at once, at every alignment", (t) => {
  const given = {
    ...{ ...values, WIFISSID: "home", DEVCUSER: "Thing4", CLOUDNAM: "iot.thinger.io" },
    ...{ TZ_OFF: "0", DST_OFF: "0", LONGTD: "1", LATITD: "1", OWMAPI: "0123456789abcdef".repeat(2) },
  };
  for (const before of ["", "a", "ab", "abc"]) {
    const { image, changed } = fill(appWith([before, ...laterPlaceholders]), given);
    t.notThrows(() => verifyImageFile(image, sha256));
    t.is(changed.length, 13);
  }
});

const badTemplates: [title: string, text: string][] = [
  ["no JSON", "{"],
  ["no fields", "{}"],
  ["an empty list", '{"fields": []}'],
  ["too many", JSON.stringify({ fields: Array.from({ length: 65 }, () => ({ placeholder: "ABCDEFGH" })) })],
  ["a short placeholder", '{"fields": [{"placeholder": "ABC   "}]}'],
  ["one with an umlaut", '{"fields": [{"placeholder": "GERÄTENAME  "}]}'],
  ["one with a space in it", '{"fields": [{"placeholder": "DEVICE NAME  "}]}'],
  ["the same one twice", '{"fields": [{"placeholder": "ABCDE "}, {"placeholder": "ABCDE  "}]}'],
  ["an unknown kind", '{"fields": [{"placeholder": "ABCDE ", "kind": "float"}]}'],
  ["an unknown key", '{"fields": [{"placeholder": "ABCDE ", "secert": true}]}'],
  ["a flag that is none", '{"fields": [{"placeholder": "ABCDE ", "secret": "yes"}]}'],
  ["a bound that is none", '{"fields": [{"placeholder": "ABCDE ", "min": "0"}]}'],
  ["a title that is a number", '{"fields": [{"placeholder": "ABCDE ", "title": 1}]}'],
  ["a field that is null", '{"fields": [null]}'],
];
for (const [title, text] of badTemplates)
  test(`a template with ${title} is refused`, (t) => {
    t.is(
      codeOf(() => parseTemplate(text, "test.json")),
      "template-invalid",
    );
  });

test("damaged templates never do worse than template-invalid", (t) => {
  const random = seededRandom(91);
  const good = new TextEncoder().encode(
    JSON.stringify({ fields: [{ placeholder: "ABCDE   ", kind: "decimal", min: -1, max: 1, full: true }] }),
  );
  let accepted = 0;
  for (let i = 0; i < 5000; i++) {
    const text = Buffer.from(damage(random, good)).toString("latin1");
    const result = codeOf(() => parseTemplate(text, "test.json"));
    if (result === "ok") accepted++;
    else if (result !== "template-invalid") return void t.fail(`seed ${random.seed}, case ${i}: ${result}`);
  }
  t.true(accepted > 0 && accepted < 4000, `${accepted}`);
});

test("any value that is accepted fits, and reads back as a C string", (t) => {
  const random = seededRandom(92);
  const file = appWith(["WIFISSID        "]);
  const field: Field = espBinaryPatcher.fields[0]!;
  for (let i = 0; i < 300; i++) {
    const length = random.below(20);
    const value = Array.from({ length }, () => pick(random, ["a", "é", "€", "😀", " ", "~"])).join("");
    const refused = refuseValue(field, 16, value);
    t.is(refused === undefined, Buffer.byteLength(value) <= 16, `seed ${random.seed}, case ${i}`);
    if (refused) continue;
    const image = Buffer.from(fill(file, { WIFISSID: value }).image);
    const at = Buffer.from(file).indexOf("WIFISSID");
    t.is(image.subarray(at, image.indexOf(0, at)).toString(), value, `seed ${random.seed}, case ${i}`);
  }
});
