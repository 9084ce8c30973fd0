// SPEC.md says what the code does: its examples, and the tables that can be compared.

import { readFileSync } from "node:fs";
import test from "ava";
import * as keys from "../../firmware/store/keys.js";
import { OTA_STATES } from "../../firmware/protocol/sync-message.js";
import type { Chip } from "../../tools/chips/chip.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { esp8266 } from "../../tools/chips/esp8266.js";
import { defaultsKeys } from "../../tools/patch/values.js";
import { createBus, type Peripherals } from "../../tools/simulator/bus.js";
import { examples } from "./examples.js";
import { adminRoutes, publicRoutes } from "./routes.js";
import { blocksOf, readSpec, tableAfter } from "./spec-file.js";

const spec = readSpec();
const blocks = blocksOf(spec);
const code = (cell: string) => /`([^`]+)`/.exec(cell)?.[1] ?? "";

test("every example is in SPEC.md once, and every one there is checked", (t) => {
  t.deepEqual(blocks.map(({ name }) => name).sort(), Object.keys(examples).sort());
});

for (const { name, text } of blocks) {
  const { make, check } = examples[name] ?? {};
  test(`example ${name} is what the code makes and takes`, async (t) => {
    if (make) t.is(text, await make(), "if it was meant: npx tsx test/docs/refresh.ts");
    await t.notThrowsAsync(async () => check?.(text));
  });
}

const layouts: [string, Chip][] = [
  ["### ESP32 family\n", esp32c3],
  ["### ESP8266\n", esp8266],
];
for (const [heading, chip] of layouts)
  test(`the table of the flash is the layout of ${chip.name}`, (t) => {
    const rows = tableAfter(spec, heading).map(([offset, size]) => [Number(offset), Number(size)]);
    const regions = Object.values(chip.layout).filter((part) => typeof part === "object");
    const known = regions.map(({ offset, size }) => [offset, size]).sort(([a], [b]) => a! - b!);
    t.deepEqual(rows, known);
  });

test("the table of store keys is keys.ts", (t) => {
  const rows = tableAfter(spec, "### Records").map(([key, name]) => [code(name!), Number(key)]);
  const known = Object.entries(keys)
    .filter(([name]) => name !== "FIRST_APP_KEY")
    .sort(([, a], [, b]) => a - b);
  t.deepEqual(rows, known);
});

test("the table of defaults keys is the patcher's", (t) => {
  const rows = tableAfter(spec, "### Defaults keys").map(([name]) => code(name!));
  t.deepEqual(rows, [...defaultsKeys.map(({ key }) => key), "x.NAME"]);
});

test("the table of bus operations is the board's", (t) => {
  const rows = tableAfter(spec, "### Operations").map(([name]) => code(name!).replace(/\(.*$/, ""));
  const bus = createBus({} as Peripherals);
  t.deepEqual(rows.sort(), Object.keys(bus).sort());
});

test("the tables of routes are the server's", async (t) => {
  const rows = (heading: string) =>
    tableAfter(spec, heading)
      .map(([route]) => code(route!))
      .sort();
  t.deepEqual(rows("### Device listener"), (await publicRoutes()).sort());
  t.deepEqual(rows("### Admin listener"), (await adminRoutes()).sort());
});

test("SPEC.md names every state of an update", (t) => {
  for (const state of OTA_STATES) t.true(spec.includes(`\`${state}\``), state);
});

test("files that SPEC.md names exist", (t) => {
  const named = [...spec.matchAll(/`((?:firmware|host|tools|test)\/[\w./-]+\.(?:ts|c))`/g)];
  t.true(named.length > 10);
  for (const [, path] of named)
    t.notThrows(() => readFileSync(new URL(`../../${path}`, import.meta.url)), path);
});
