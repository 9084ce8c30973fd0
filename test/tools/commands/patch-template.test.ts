// `broome patch` on other projects' binaries, as a command: where values come from, what is refused, what is written.

import test from "ava";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb as patch } from "../../../tools/commands/patch.js";
import { runVerb as run } from "../../support/run-verb.js";
import { appWith, laterPlaceholders, merged, placeholders } from "../patch/third-party-image.js";

const answers = {
  WIFISSID: "home",
  WIFIPASS: "correct horse",
  DEVCNAME: "Witty",
  CLOUDNAM: "Thing4",
  DEVCCRED: "hunter22",
};

function setUp(t: { teardown(fn: () => void): void }, bytes: Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), "broome-template-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const image = join(folder, "army-knife.bin");
  const from = join(folder, "answers.json");
  writeFileSync(image, bytes);
  writeFileSync(from, JSON.stringify(answers));
  return { folder, image, from };
}

const textIn = (path: unknown) => readFileSync(path as string).toString("latin1");

test("a binary with known placeholders needs no --template; every placeholder is counted; 0600", async (t) => {
  const { folder, image, from } = setUp(t, merged([appWith(placeholders)]));
  const before = readFileSync(image);
  const { result, text } = await run(patch, [image, "--from", from]);
  t.is(result?.out, join(folder, "army-knife_patched.bin"));
  t.is(statSync(result?.out as string).mode & 0o777, 0o600);
  t.deepEqual(readFileSync(image), before);
  t.deepEqual((result?.placeholders as object[])[0], {
    ...{ name: "WIFISSID", count: 1, width: 16, filled: true },
  });
  t.true(textIn(result?.out).includes("\0Witty\0"));
  t.regex(text, /5 of 5 placeholders of thinger/);
  t.regex(text, /credentials/);
  t.notRegex(text, /correct horse|hunter22/);
});

test("keys of our own images name the same things; a default fills what nobody gave", async (t) => {
  const { image, from } = setUp(t, appWith(laterPlaceholders));
  writeFileSync(from, JSON.stringify({ "wifi.ssid": "home", "wifi.password": "correct horse" }));
  const { result, text } = await run(patch, [image, "--from", from, "--set", "device.name=Witty"]);
  const content = textIn(result?.out);
  for (const value of ["home", "correct horse", "Witty", "iot.thinger.io"])
    t.true(content.includes(`\0${value}\0`), value);
  t.regex(text, /left as they are: DEVCUSER, DEVCCRED, TZ_OFF, DST_OFF, LONGTD, LATITD, OWMAPI/);
});

test.serial("the password comes from the environment as well", async (t) => {
  const { image } = setUp(t, appWith(placeholders));
  process.env.BROOME_WIFI_PASSWORD = "from environment";
  t.teardown(() => delete process.env.BROOME_WIFI_PASSWORD);
  const { result } = await run(patch, [image, "--set", "WIFISSID=home"]);
  t.true(textIn(result?.out).includes("\0from environment\0"));
});

test("--show lists what is to be filled and writes nothing", async (t) => {
  const { folder, image } = setUp(t, appWith([...placeholders, "WIFISSID        "]));
  const { result, text } = await run(patch, [image, "--show"]);
  t.like((result?.placeholders as object[])[0], { name: "WIFISSID", count: 2, width: 16 });
  t.regex(text, /WIFISSID Wi-Fi network \(SSID\): 16 bytes, at 2 places/);
  t.deepEqual(readdirSync(folder).sort(), ["answers.json", "army-knife.bin"]);
});

test("a template file names other placeholders", async (t) => {
  const { folder, image, from } = setUp(t, appWith(["@@BROKER@@          ", "@@PORT@@  "]));
  const template = join(folder, "mqtt.json");
  const fields = [
    { placeholder: "@@BROKER@@          ", title: "Broker", default: "test.mosquitto.org" },
    { placeholder: "@@PORT@@  ", title: "Port", kind: "integer", min: 1, max: 65535 },
  ];
  writeFileSync(template, JSON.stringify({ fields }));
  writeFileSync(from, JSON.stringify({ "@@PORT@@": 1883 }));
  const { result } = await run(patch, [image, "--template", template, "--from", from]);
  t.true(textIn(result?.out).includes("\0test.mosquitto.org\0\0\x001883\0"));
});

const army = appWith(placeholders);
const refused: [code: string, bytes: Uint8Array, content: object, argv: string[]][] = [
  ["placeholder-missing", appWith(["hello"]), answers, ["--template", "thinger"]],
  ["defaults-missing", appWith(["hello"]), answers, []],
  ["placeholder-ambiguous", appWith(["SSID=WIFISSID        "]), answers, []],
  ["placeholder-missing", army, { ...answers, DEVCUSER: "someone" }, []],
  ["unknown-key", army, { WIFISID: "home" }, []],
  ["value-too-long", army, { WIFISSID: "x".repeat(17) }, []],
  ["value-invalid", army, { WIFISSID: { a: 1 } }, []],
  ["secret-on-command-line", army, {}, ["--set", "WIFIPASS=hunter22"]],
  ["secret-on-command-line", army, {}, ["--set", "DEVCCRED=hunter22"]],
  ["secret-on-command-line", army, {}, ["--set", "wifi.password=hunter22"]],
  ["usage", army, answers, ["--blank"]],
  ["usage", army, answers, ["--register"]],
  ["file-unreadable", army, answers, ["--template", "/nowhere.json"]],
  ["image-truncated", army.subarray(0, 1000), answers, ["--template", "thinger"]],
];
for (const [code, bytes, content, argv] of refused)
  test(`${code} ${JSON.stringify(content).slice(0, 30)} ${argv.join(" ")}: nothing is written`, async (t) => {
    const { folder, image, from } = setUp(t, bytes);
    writeFileSync(from, JSON.stringify(content));
    const outcome = await run(patch, [image, "--from", from, ...argv]);
    t.is(outcome.code, code);
    t.notRegex(outcome.text, /hunter22/);
    t.deepEqual(readdirSync(folder).sort(), ["answers.json", "army-knife.bin"]);
  });
