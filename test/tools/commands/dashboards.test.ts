// `broome dashboards`: names go into templates' texts and nowhere else, into another folder and never in place.

import test from "ava";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb as dashboards } from "../../../tools/commands/dashboards.js";
import { personaliseDashboard } from "../../../tools/patch/dashboard.js";
import { damage, pick } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";
import { runVerb as run } from "../../support/run-verb.js";

/** In the form of a Thinger.io dashboard. */
const dashboard = {
  name: "Device: live",
  properties: { Device: "is a key here" },
  widgets: [
    { type: "gauge", source: { id: "Device", user: "Cloudname", resource: "DeviceStats" } },
    { type: "html", text: '<h1>Device</h1>\n"Device" of Cloudname' },
    { bucket: "Device_Hourly", count: 2, on: true, none: null },
  ],
};
const json = JSON.stringify(dashboard, undefined, 2);
const names = { Device: 'Bret\'s "Witty"', Cloudname: "Thing4" };
const sets = Object.entries(names).flatMap(([word, value]) => ["--set", `${word}=${value}`]);

function setUp(
  t: { teardown(fn: () => void): void },
  files: Record<string, string> = { "stats.json": json },
) {
  const folder = mkdtempSync(join(tmpdir(), "broome-dashboards-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const templates = join(folder, "templates");
  mkdirSync(templates);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(templates, name), text);
  return { folder, templates, out: join(folder, "mine") };
}

const inFolder = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

test("whole words in texts are replaced, escaped; keys and longer words stay; the templates are untouched", async (t) => {
  const { templates, out } = setUp(t);
  const { result, text } = await run(dashboards, [templates, ...sets, "--out", out]);
  const made = JSON.parse(inFolder(out, "stats.json")) as typeof dashboard;
  t.deepEqual(made, {
    name: `${names.Device}: live`,
    properties: { Device: "is a key here" },
    widgets: [
      { type: "gauge", source: { id: names.Device, user: "Thing4", resource: "DeviceStats" } },
      { type: "html", text: `<h1>${names.Device}</h1>\n"${names.Device}" of Thing4` },
      { bucket: `${names.Device}_Hourly`, count: 2, on: true, none: null },
    ],
  } as never);
  t.like((result?.files as object[])[0], { replaced: { Device: 5, Cloudname: 2 } });
  t.regex(text, /left alone: Device 2/);
  t.is(inFolder(templates, "stats.json"), json);
});

test("a .h file keeps what it has around its JSON; other files are not touched or copied", async (t) => {
  const header = (body: string) => `// Device dashboard\nconst char *const z[] = {R"(${body})"};\n`;
  const { templates, out } = setUp(t, { "z_Thinger.Stats.h": header(json), "README.txt": "Device" });
  await run(dashboards, [templates, "--set", "Device=Witty", "--out", out]);
  t.is(
    inFolder(out, "z_Thinger.Stats.h"),
    header(
      json.replace(/"Device: live"|"Device",|Device_H|>Device<|\\"Device\\"/g, (m) =>
        m.replace("Device", "Witty"),
      ),
    ),
  );
  t.deepEqual(readdirSync(out), ["z_Thinger.Stats.h"]);
});

test("words come from a file as well; a value that is another's word is not replaced again", async (t) => {
  const { folder, templates, out } = setUp(t, { "a.json": '["Device", "Cloudname"]' });
  const from = join(folder, "names.json");
  writeFileSync(from, JSON.stringify({ Device: "Cloudname", Cloudname: "Device" }));
  await run(dashboards, [templates, "--from", from, "--out", out]);
  t.is(inFolder(out, "a.json"), '["Cloudname", "Device"]');
});

test("never in place: not by name, not by a link to the folder, not by a link to a template", async (t) => {
  const { folder, templates, out } = setUp(t);
  symlinkSync(templates, join(folder, "link"));
  mkdirSync(out);
  symlinkSync(join(templates, "stats.json"), join(out, "stats.json"));
  for (const target of [templates, `${templates}/`, join(folder, "link"), out])
    t.is((await run(dashboards, [templates, ...sets, "--out", target])).code, "usage", target);
  t.is(inFolder(templates, "stats.json"), json);
});

const refused: [code: string, files: Record<string, string>, argv: string[]][] = [
  ["placeholder-missing", { "a.json": '{"a": "Device"}' }, ["--set", "Device=x", "--set", "Cloudname=y"]],
  ["placeholder-missing", { "a.json": '{"Device": "Devices"}' }, ["--set", "Device=x"]],
  ["dashboard-invalid", { "a.json": '["Device"]', "b.json": '{"a": "Device"' }, ["--set", "Device=x"]],
  ["dashboard-invalid", { "a.h": "// Device" }, ["--set", "Device=x"]],
  ["dashboard-invalid", { "a.h": '{"a": "Device", "b": {"c": "Device"}' }, ["--set", "Device=x"]],
  ["value-not-utf8", { "a.json": "GONE" }, ["--set", "Device=x"]],
  ["value-invalid", { "a.json": '["Device"]' }, ["--set", "Device="]],
  ["value-invalid", { "a.json": '["Device"]' }, ["--set", "Device=a\nb"]],
  ["value-invalid", { "a.json": '["Device"]' }, ["--set", "D.*=x"]],
  ["usage", { "a.json": '["Device"]' }, []],
  ["usage", { "a.txt": "Device" }, ["--set", "Device=x"]],
];
for (const [code, files, argv] of refused)
  test(`${code} ${JSON.stringify(files)} ${JSON.stringify(argv)}: nothing is written`, async (t) => {
    const { folder, templates, out } = setUp(t, files);
    if (code === "value-not-utf8")
      writeFileSync(join(templates, "a.json"), Buffer.from('["Device\xe9"]', "latin1"));
    t.is((await run(dashboards, [templates, ...argv, "--out", out])).code, code);
    t.deepEqual(readdirSync(folder), ["templates"]);
  });

test("damaged templates and odd values end in a refusal, or in JSON of the same shape", (t) => {
  const random = seededRandom(93);
  const bytes = new TextEncoder().encode(json);
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([key, inner]) => [key, shape(inner)])
      : typeof value;
  let made = 0;
  for (let i = 0; i < 3000; i++) {
    const text = new TextDecoder().decode(i % 2 === 0 ? damage(random, bytes) : bytes);
    const value = Array.from({ length: 1 + random.below(8) }, () =>
      pick(random, ['"', "\\", "a", "é", "}", "$&", "//"]),
    );
    let result: string;
    try {
      result = personaliseDashboard(text, new Map([["Device", value.join("")]]), "x.json").text;
    } catch (error) {
      if ((error as { code?: string }).code === "dashboard-invalid") continue;
      return void t.fail(`seed ${random.seed}, case ${i}: ${error}`);
    }
    made++;
    if (i % 2 === 1)
      t.deepEqual(shape(JSON.parse(result)), shape(dashboard), `seed ${random.seed}, case ${i}`);
    else t.notThrows(() => JSON.parse(result), `seed ${random.seed}, case ${i}`);
  }
  t.true(made >= 1500);
});

test("a template with a byte order mark, a link that leads nowhere, text that is not UTF-8", async (t) => {
  const { templates, out } = setUp(t, { "stats.json": `\ufeff${json}` });
  t.is((await run(dashboards, [templates, ...sets, "--out", out])).code, undefined);
  t.is(inFolder(out, "stats.json")[0], "{");
  symlinkSync(join(templates, "none"), join(templates, "gone.json"));
  const gone = await run(dashboards, [templates, ...sets, "--out", out]);
  t.is(gone.code, "file-unreadable", gone.text);
  t.regex(gone.text, /gone\.json/);
  const latin1 = setUp(t, {});
  writeFileSync(join(latin1.templates, "b.json"), Buffer.from('{"name":"B\xfchne Device"}', "latin1"));
  const { code, text } = await run(dashboards, [latin1.templates, ...sets, "--out", latin1.out]);
  t.is(code, "value-not-utf8");
  t.regex(text, /b\.json: not UTF-8/);
});
