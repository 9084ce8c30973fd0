// The verbs that ask a board something, against the virtual ROM over a real port: esptool's words, and what they refuse.

import test, { type ExecutionContext } from "ava";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb as chipId } from "../../../tools/commands/chip-id.js";
import { verb as eraseFlash } from "../../../tools/commands/erase-flash.js";
import { verb as eraseRegion } from "../../../tools/commands/erase-region.js";
import { verb as flashId } from "../../../tools/commands/flash-id.js";
import { verb as mergeBin } from "../../../tools/commands/merge-bin.js";
import { verb as readFlash } from "../../../tools/commands/read-flash.js";
import { verb as readMac } from "../../../tools/commands/read-mac.js";
import { verb as verifyFlash } from "../../../tools/commands/verify-flash.js";
import { chipByName } from "../../../tools/chips/registry.js";
import type { Verb } from "../../../tools/verb.js";
import { until } from "../../contract/serial-port.js";
import { runVerb } from "../../support/run-verb.js";
import { Rig } from "../esptool/rig.js";

function folder(t: ExecutionContext): (name: string) => string {
  const path = mkdtempSync(join(tmpdir(), "broome-board-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return (name) => join(path, name);
}

async function run(rig: Rig, verb: Verb, ...argv: string[]) {
  const done = await runVerb(verb, argv, { port: rig.ports.rfc2217 });
  await until(() => !rig.ports.uart.connected);
  return done;
}

const who = { chip: "esp32c3", mac: "02:11:22:33:44:55" };

test("read-mac, chip-id and flash-id say what esptool says, and the app runs afterwards", async (t) => {
  const rig = await Rig.open(t);
  const plain = async (verb: Verb) => {
    const { text } = await runVerb(verb, [], { port: rig.ports.rfc2217, json: false });
    await until(() => !rig.ports.uart.connected);
    return text;
  };
  t.regex(await plain(readMac), /^MAC: 02:11:22:33:44:55$/m);
  t.regex(await plain(chipId), /^ESP32-C3 has no chip ID. MAC: 02:11:22:33:44:55$/m);
  t.regex(await plain(flashId), /^Manufacturer: c8\nDevice: 4016\nDetected flash size: 4MB$/m);
  t.deepEqual((await run(rig, readMac)).result, who);
  t.deepEqual((await run(rig, flashId)).result, {
    ...who,
    ...{ manufacturer: "c8", device: "4016", flashSize: 0x400000 },
  });
  t.is((await run(rig, chipId)).result!.type, "ESP32-C3 (QFN32) (revision v0.4)");
  await until(() => rig.starts.at(-1) === "app");
  t.is(rig.starts.at(-1), "app");
});

test("an ESP8266 has a chip id: the end of its MAC", async (t) => {
  const rig = await Rig.open(t, { chip: chipByName("esp8266") });
  t.is((await run(rig, chipId)).result!.chipId, "0x00334455");
});

for (const [name, ...more] of [["with the stub"], ["ROM only", "--no-stub"]] as const) {
  test(`read-flash, ${name}: exactly the bytes that were asked for, for nobody else's eyes`, async (t) => {
    const rig = await Rig.open(t);
    const bytes = randomBytes(20_001);
    rig.flash.program(0x12345, bytes);
    const out = folder(t)("dump.bin");
    const { result, text } = await run(rig, readFlash, "0x12345", "20001", out, ...more);
    t.is(result?.size, 20_001, text);
    t.true(readFileSync(out).equals(bytes));
    t.is(statSync(out).mode & 0o777, 0o600);
  });
}

test("read-flash ALL takes the whole flash; damaged packets are read again", async (t) => {
  const rig = await Rig.open(t, { size: 0x100000 });
  const bytes = randomBytes(0x100000);
  rig.flash.program(0, bytes);
  let packets = 0;
  rig.toHost = (chunk) => {
    if (chunk.length < 4000 || ++packets !== 100) return chunk;
    const damaged = chunk.slice();
    damaged[2000]! = damaged[2000] === 0x55 ? 0x56 : 0x55;
    return damaged;
  };
  const out = folder(t)("all.bin");
  const { result, text } = await run(rig, readFlash, "0", "ALL", out);
  t.is(result?.size, 0x100000, text);
  t.true(readFileSync(out).equals(bytes));
  t.true(packets > 256, "something was read twice");
});

for (const more of [[], ["--no-stub"]]) {
  test(`erase-region ${more.join("")} erases its sectors and no other; erase-flash all`, async (t) => {
    const rig = await Rig.open(t, { size: 0x100000 });
    rig.flash.program(0, new Uint8Array(0x10000));
    const { result, text } = await run(rig, eraseRegion, "0x2000", "0x3000", ...more);
    t.is(result?.sectorsErased, 3, text);
    const held = rig.flash.read(0, 0x6000);
    t.deepEqual(
      [0x1fff, 0x2000, 0x4fff, 0x5000].map((at) => held[at]),
      [0, 0xff, 0xff, 0],
    );
    t.is((await run(rig, eraseFlash, ...more)).result!.sectorsErased, 256);
    t.true(rig.flash.read(0, 0x10000).every((byte) => byte === 0xff));
  });
}

test("verify-flash without files speaks of itself", async (t) => {
  const rig = await Rig.open(t);
  const { code, text } = await run(rig, verifyFlash);
  t.is(code, "usage");
  t.regex(text, /verify-flash was given no files[^]*broome verify-flash OFFSET FILE/);
});

test("verify-flash says yes, or which sectors differ, and writes nothing", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t);
  const data = randomBytes(100_000);
  rig.flash.program(0x10000, data);
  const before = rig.flash.operations.programs;
  writeFileSync(at("app.bin"), data);
  const yes = await run(rig, verifyFlash, "0x10000", at("app.bin"));
  t.true(yes.result?.verified as boolean, yes.text);
  data[50_000]! ^= 1;
  writeFileSync(at("app.bin"), data);
  const no = await run(rig, verifyFlash, "0x10000", at("app.bin"));
  t.is(no.code, "verify-failed");
  t.regex(no.text, /app\.bin: 0x1c000 to 0x1d000/);
  t.is(rig.flash.operations.programs, before);
});

test("merge-bin puts FF between the parts, pads, and counts from the target offset", async (t) => {
  const at = folder(t);
  writeFileSync(at("a"), Uint8Array.of(1, 2));
  writeFileSync(at("b"), Uint8Array.of(3));
  const parts = ["0x1004", at("b"), "0x1000", at("a")];
  const { result, text } = await runVerb(mergeBin, ["-o", at("out"), "--target-offset", "0x1000", ...parts]);
  t.is(result?.size, 5, text);
  t.deepEqual([...readFileSync(at("out"))], [1, 2, 0xff, 0xff, 3]);
  const padded = await runVerb(mergeBin, ["-o", at("out"), "--pad-to-size", "1MB", ...parts]);
  t.is(padded.result?.size, 0x100000, padded.text);
});

for (const [name, verb, argv, code] of [
  ["a region off the sectors", eraseRegion, ["0x1001", "0x1000"], "region-invalid"],
  ["a region beyond the flash", eraseRegion, ["0x3ff000", "0x2000"], "flash-too-small"],
  ["an address that is none", eraseRegion, ["nvs", "0x1000"], "usage"],
  [
    "a read beyond the flash",
    readFlash,
    ["0x3ff000", "0x1001", join(tmpdir(), "broome-read-beyond")],
    "flash-too-small",
  ],
  ["a file that cannot be written", readFlash, ["0", "16", "/nowhere/x"], "file-unwritable"],
] as const) {
  test(`${name} is refused: ${code}, with the flash untouched`, async (t) => {
    const rig = await Rig.open(t);
    t.is((await run(rig, verb, ...argv)).code, code);
    t.is(rig.flash.operations.erases, 0);
  });
}

for (const [name, parts, more] of [
  ["parts that overlap", { "0x0": 10, "0x9": 1 }, []],
  ["a part before the target offset", { "0x0": 1 }, ["--target-offset", "0x10"]],
  ["parts longer than the flash", { "0x0": 5000 }, ["--pad-to-size", "4k"]],
] as const) {
  test(`merge-bin refuses ${name}`, async (t) => {
    const at = folder(t);
    const argv = Object.entries(parts).flatMap(([offset, size]) => {
      writeFileSync(at(offset), new Uint8Array(size));
      return [offset, at(offset)];
    });
    t.is((await runVerb(mergeBin, ["-o", at("out"), ...more, ...argv])).code, "region-invalid");
  });
}
