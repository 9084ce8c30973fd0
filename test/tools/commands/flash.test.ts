// `broome flash` as a command, against the virtual ROM over real ports: what it writes, what it refuses, how it is interrupted.

import test, { type ExecutionContext } from "ava";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { encodeAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { buildImage } from "../../../firmware/format/image.js";
import { encodePartitionTable } from "../../../firmware/format/partition-table.js";
import { initialOtadata, partitionTable } from "../../../tools/build/tables.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { verb } from "../../../tools/commands/flash.js";
import { createContext } from "../../../tools/context.js";
import { findRoot } from "../../../tools/project.js";
import { openPort } from "../../../tools/serial/open.js";
import type { Context } from "../../../tools/verb.js";
import { until } from "../../contract/serial-port.js";
import { sha256, testDescriptor } from "../../firmware/format/test-image.js";
import { Rig } from "../esptool/rig.js";

const root = findRoot();
const REAL_MAC = Uint8Array.of(0x34, 0x85, 0x18, 0x01, 0x02, 0x03);

interface ImageOptions {
  project?: string;
  chipId?: number;
  minRevision?: number;
  size?: number;
}

function image(options: ImageOptions = {}): Uint8Array {
  const { chipId = 5, minRevision = 3, project = "broome-virtual", size = 40_000 } = options;
  const noise = Buffer.alloc(size, "the tide goes out ten metres ");
  for (let i = 0; i < size; i += 3) noise[i] = (i * 2654435761) >>> 13;
  const data = new Uint8Array(Buffer.concat([encodeAppDescriptor({ ...testDescriptor, project }), noise]));
  const { flashMode, flashSize, flashFrequency, maxRevision } = esp32c3.image;
  const segments = [{ loadAddress: 0x3c000020, data }];
  return buildImage(
    { chipId, entry: 0x40380000, flashMode, flashSize, flashFrequency, minRevision, maxRevision, segments },
    sha256,
  );
}

interface Run {
  result?: Record<string, unknown>;
  code?: string;
  help?: string;
  text: string;
}

async function run(
  port: string | undefined,
  argv: string[],
  more: { chain?: Context["chain"] } = {},
): Promise<Run> {
  const command = new Command().exitOverride();
  verb.configure(command);
  command.parse(argv, { from: "user" });
  const lines: string[] = [];
  const signal = new AbortController().signal;
  const context: Context = {
    ...createContext(root, { json: true, ...(port && { port }) }, more.chain ?? {}, signal),
    log: (line) => void lines.push(line),
  };
  try {
    return { result: await verb.run(context, command.args, command.opts()), text: lines.join("\n") };
  } catch (error) {
    const { code, message, help } = error as { code?: string; message: string; help?: string };
    return { code: code ?? message, ...(help !== undefined && { help }), text: message };
  }
}

function folder(
  t: ExecutionContext,
  files: Record<string, Uint8Array | string> = {},
): (name: string) => string {
  const path = mkdtempSync(join(tmpdir(), "broome-flash-"));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  const at = (name: string) => join(path, name);
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content);
  return at;
}

const build = (app = image()) => ({
  "partition-table.bin": partitionTable(esp32c3),
  "ota_data_initial.bin": initialOtadata(),
  "app.bin": app,
  "build.json": JSON.stringify({
    files: [
      { path: "partition-table.bin", offset: 0x8000 },
      { path: "ota_data_initial.bin", offset: 0xe000 },
      { path: "app.bin", offset: 0x10000 },
    ],
  }),
});

function holds(t: ExecutionContext, rig: Rig, offset: number, bytes: Uint8Array): void {
  t.true(
    Buffer.from(rig.flash.read(offset, bytes.length)).equals(bytes),
    `flash at 0x${offset.toString(16)}`,
  );
}

const untouched = (rig: Rig) => rig.flash.operations.erases + rig.flash.operations.programs === 0;

test("--dir writes a whole build and gives the fields of CONTRACT", async (t) => {
  const rig = await Rig.open(t);
  const files = build();
  const at = folder(t, files);
  const { result, text } = await run(rig.ports.rfc2217, ["--dir", at(".")]);
  holds(t, rig, 0x8000, files["partition-table.bin"]);
  holds(t, rig, 0x10000, files["app.bin"]);
  const { ms, bytesOnWire, ...rest } = result!;
  t.deepEqual(rest, {
    chip: "esp32c3",
    mac: "02:11:22:33:44:55",
    flashSize: 0x400000,
    bytesWritten: 3072 + files["app.bin"].length,
    sectorsErased: 1 + Math.ceil(files["app.bin"].length / 4096),
    skipped: 8192,
    verified: true,
    stub: false,
    baudRate: 921600,
  });
  t.true((ms as number) > 0 && (bytesOnWire as number) > 10_000);
  t.regex(text, /Chip type: {10}ESP32-C3[^]*MAC: {16}02:11:22:33:44:55[^]*Hash of data verified/);
  const again = await run(rig.ports.rfc2217, ["--dir", at(".")]);
  t.is(again.result!.bytesWritten, 0);
});

test("in a chain the patched image takes the place of the one that was built", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t, { ...build(), "app_patched.bin": image({ size: 20_000 }) });
  const chain = { dir: at("."), image: at("app_patched.bin"), chip: "esp32c3" };
  const { result } = await run(rig.ports.rfc2217, [], { chain });
  t.truthy(result);
  holds(t, rig, 0x10000, image({ size: 20_000 }));
  holds(t, rig, 0x8000, partitionTable(esp32c3));
});

test("a patched image alone goes to ota_0; ESP-IDF's flasher_args.json is understood", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t, {
    "one.bin": image(),
    "two.bin": image({ size: 5000 }),
    "flasher_args.json": JSON.stringify({ flash_files: { "0x10000": "two.bin" } }),
  });
  await run(rig.ports.rfc2217, [], { chain: { image: at("one.bin") } });
  holds(t, rig, 0x10000, image());
  await run(rig.ports.rfc2217, ["--dir", at(".")]);
  holds(t, rig, 0x10000, image({ size: 5000 }));
});

/** As merge-bin makes it: table, blank otadata and app, with FF between them and behind. */
function mergedImage(app: Uint8Array): Uint8Array {
  const all = new Uint8Array(0x1f0000).fill(0xff);
  all.set(partitionTable(esp32c3), 0x8000);
  all.set(app, 0x10000);
  return all;
}
const merged = mergedImage(image({ size: 10_000 }));
const mergedWithNvs = merged.slice();
mergedWithNvs[0x9010] = 1;
const mergedDamaged = merged.slice();
mergedDamaged[0x11000]! ^= 1;
const longTable = Buffer.concat([partitionTable(esp32c3), Buffer.alloc(2000, 0)]);
const damaged = image();
damaged[5000]! ^= 1;

for (const [name, argv, files, code] of [
  ["an image of another chip", ["0x10000", "x"], { x: image({ chipId: 9 }) }, "chip-mismatch"],
  ["an image for a newer revision", ["0x10000", "x"], { x: image({ minRevision: 101 }) }, "chip-mismatch"],
  [
    "a real board's image on a virtual one",
    ["0x10000", "x"],
    { x: image({ project: "blink" }) },
    "image-virtual",
  ],
  ["a truncated image", ["0x10000", "x"], { x: image().subarray(0, 30_000) }, "image-truncated"],
  ["a damaged image", ["0x10000", "x"], { x: damaged }, "image-corrupt"],
  ["what is no image in a slot", ["0x10000", "x"], { x: "hello" }, "image-corrupt"],
  ["a merged image with something for nvs", ["0x0", "x"], { x: mergedWithNvs }, "protected-region"],
  ["a merged image whose app is damaged", ["0x0", "x"], { x: mergedDamaged }, "image-corrupt"],
  ["a table that runs over nvs", ["0x8000", "x"], { x: longTable }, "protected-region"],
  [
    "a slot's file that runs over the store",
    ["0x1f0000", "x"],
    { x: Buffer.concat([image(), Buffer.alloc(0x1e1000 - image().length, 0xff), Buffer.alloc(1)]) },
    "protected-region",
  ],
  [
    "an app larger than its slot",
    ["0x1f0000", "x", "--erase"],
    { x: image({ size: 0x1e0000 }) },
    "app-too-big",
  ],
  ["a file beyond the flash", ["0x3fd000", "x"], { x: new Uint8Array(0x4000) }, "flash-too-small"],
  ["an offset without a file", ["0x10000"], {}, "usage"],
  ["an offset that is none", ["ota_0", "x"], { x: "" }, "usage"],
  ["files and --dir", ["0x10000", "x", "--dir", "x"], { x: "" }, "usage"],
  ["a file that is not there", ["0x10000", "x"], {}, "file-unreadable"],
  ["a folder without a build", ["--dir", "."], {}, "build-missing"],
  ["nothing at all", [], {}, "usage"],
] as const) {
  test(`${name} is refused: ${code}, with the flash untouched`, async (t) => {
    const rig = await Rig.open(t);
    const at = folder(t, files as Record<string, Uint8Array | string>);
    const resolved = argv.map((word) => (word === "x" || word === "." ? at(word) : word));
    const { code: found, help, text } = await run(rig.ports.rfc2217, resolved);
    t.is(found, code, text);
    t.truthy(help);
    t.true(untouched(rig));
  });
}

test("a file that is no image is written where nothing forbids it, with a warning; data for a partition without one", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t, { "notes.txt": "low water at 6:20", "settings.bin": "ssid=home", "app.bin": image() });
  const { text } = await run(rig.ports.rfc2217, ["0x20000", at("notes.txt")]);
  t.regex(text, /warning: .*notes\.txt is no image; it goes to 0x20000 as it is/);
  holds(t, rig, 0x20000, Buffer.from("low water at 6:20"));
  const more = ["0x8000", at("table.bin"), "0x9000", at("settings.bin"), "0x10000", at("app.bin")];
  writeFileSync(at("table.bin"), partitionTable(esp32c3));
  const usual = await run(rig.ports.rfc2217, more);
  t.truthy(usual.result, usual.text);
  t.notRegex(usual.text, /warning/);
});

/** Of a board from elsewhere: nvs where our layout has the second slot, a slot of half a megabyte. */
const otherTable = encodePartitionTable(
  [
    { label: "factory", type: 0, subtype: 0, offset: 0x10000, size: 0x80000, flags: 0 },
    { label: "settings", type: 1, subtype: 2, offset: 0x200000, size: 0x6000, flags: 0 },
  ],
  () => {
    const hash = createHash("md5");
    return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
  },
);

test("which places are kept says the table on the board, where it has one and none is written", async (t) => {
  const rig = await Rig.open(t);
  rig.flash.program(0x8000, otherTable);
  const before = rig.flash.operations.erases;
  const at = folder(t, {
    "long.bin": Buffer.concat([Buffer.alloc(0x1000, 0xff), Buffer.alloc(0x2000, 7)]),
    "large.bin": image({ size: 0x90000 }),
    "own.bin": new Uint8Array([7, 7]),
    "app.bin": image(),
  });
  const flashed = (...argv: string[]) => run(rig.ports.rfc2217, argv);
  const over = await flashed("0x1ff000", at("long.bin"));
  t.is(over.code, "protected-region", over.text);
  t.regex(over.text, /would overwrite settings at 0x200000/);
  t.is((await flashed("0x10000", at("large.bin"))).code, "app-too-big");
  t.is(rig.flash.operations.erases, before);
  t.truthy((await flashed("0x9000", at("own.bin"))).result, "our layout's nvs is nothing on this board");
  t.truthy((await flashed("0x1f0000", at("own.bin"))).result, "nor is its second slot");
  // With a table of its own the build says what is what.
  const build = ["0x8000", at("table.bin"), "0x10000", at("app.bin"), "0x200000", at("own.bin")];
  writeFileSync(at("table.bin"), partitionTable(esp32c3));
  t.truthy((await flashed(...build)).result);
});

test("a table on the board that is none counts for nothing", async (t) => {
  const rig = await Rig.open(t);
  rig.flash.program(
    0x8000,
    Uint8Array.from({ length: 600 }, (_, i) => (i * 37) & 0xff),
  );
  const at = folder(t, { "long.bin": Buffer.concat([Buffer.alloc(0x1000, 0xff), Buffer.alloc(0x2000, 7)]) });
  const { code } = await run(rig.ports.rfc2217, ["0x8f000", at("long.bin")]);
  t.is(code, undefined);
  const { text } = await run(rig.ports.rfc2217, ["0x3cf000", at("long.bin")]);
  t.regex(text, /would overwrite broome at 0x3d0000/);
});

test("a virtual image is refused by a real board", async (t) => {
  const rig = await Rig.open(t, { mac: REAL_MAC });
  const at = folder(t, { "app.bin": image() });
  t.is((await run(rig.ports.rfc2217, ["0x10000", at("app.bin")])).code, "image-virtual");
  t.true(untouched(rig));
  const real = folder(t, { "app.bin": image({ project: "blink" }) });
  t.truthy((await run(rig.ports.rfc2217, ["0x10000", real("app.bin")])).result);
});

test("the FF padding of a merged image leaves nvs, otadata and the store as they are", async (t) => {
  const rig = await Rig.open(t);
  const kept = [0x9000, 0xd000, 0xe000, 0x3d0000];
  for (const offset of kept) rig.flash.program(offset, Uint8Array.of(1, 2, 3));
  const whole = new Uint8Array(0x400000).fill(0xff);
  whole.set(merged);
  const at = folder(t, { "merged.bin": whole });
  const { result, text } = await run(rig.ports.rfc2217, ["0x0", at("merged.bin")]);
  for (const offset of kept) t.is(rig.flash.read(offset, 1)[0], 1, `0x${offset.toString(16)}`);
  holds(t, rig, 0x8000, partitionTable(esp32c3));
  holds(t, rig, 0x10000, image({ size: 10_000 }));
  t.deepEqual(result!.left, ["nvs", "otadata", "broome"]);
  t.regex(text, /protected-region: nvs at 0x9000 is left as it is/);
});

test("a file meant for a kept partition goes there, and --erase lets a merged image through", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t, { "nvs.bin": new Uint8Array(0x5000).fill(7), "merged.bin": merged });
  t.truthy((await run(rig.ports.rfc2217, ["0x9000", at("nvs.bin")])).result);
  t.is(rig.flash.read(0x9000, 1)[0], 7);
  t.truthy((await run(rig.ports.rfc2217, ["0x0", at("merged.bin"), "--erase"])).result);
  t.is(rig.flash.read(0x9000, 1)[0], 0xff);
});

test("ports: absent, busy", async (t) => {
  const rig = await Rig.open(t);
  const at = folder(t, { "app.bin": image() });
  const argv = ["0x10000", at("app.bin")];
  t.is((await run("/dev/ttyBroomeIsNotHere", argv)).code, "port-not-found");
  const other = await openPort(rig.ports.rfc2217, { baudRate: 115200 });
  const busy = await run(rig.ports.rfc2217, argv);
  t.is(busy.code, "port-busy");
  t.regex(busy.help!, /Close the other program/);
  await other.close();
});

for (const signal of ["SIGINT", "SIGKILL"] as const) {
  test(`${signal} in the middle, then the same command again: the flash is complete and the app runs`, async (t) => {
    const rig = await Rig.open(t);
    const files = build(image({ size: 300_000 }));
    const at = folder(t, files);
    const argv = [
      "tools/bin/broome.mjs",
      "-p",
      rig.ports.rfc2217,
      "flash",
      "--no-stub",
      "--dir",
      at("."),
      "--json",
    ];
    const start = () => {
      const child = spawn(process.execPath, argv, { cwd: root, stdio: ["ignore", "pipe", "ignore"] });
      let out = "";
      child.stdout.on("data", (text: Buffer) => (out += text.toString()));
      const ended = new Promise<{ exit: number | string | null; out: string }>((resolve) => {
        child.once("close", (exit, by) => resolve({ exit: exit ?? by, out }));
      });
      return { child, ended };
    };
    for (const programs of [20, 60]) {
      const { child, ended } = start();
      let sent = false;
      const before = rig.flash.operations.programs;
      rig.toRom = (bytes) => {
        if (!sent && rig.flash.operations.programs - before >= programs) sent = child.kill(signal);
        return bytes;
      };
      const { exit, out } = await ended;
      t.is(exit, signal === "SIGINT" ? 130 : "SIGKILL");
      if (signal === "SIGINT") t.regex((JSON.parse(out) as { help: string }).help, /flash it again/);
      await until(() => !rig.ports.uart.connected);
    }
    rig.toRom = (bytes) => bytes;
    const last = await start().ended;
    t.is(last.exit, 0, last.out);
    t.true((JSON.parse(last.out) as { ok: boolean }).ok);
    for (const [name, offset] of [
      ["partition-table.bin", 0x8000],
      ["app.bin", 0x10000],
    ] as const) {
      holds(t, rig, offset, files[name]);
    }
    await until(() => rig.starts.at(-1) === "app");
    t.is(rig.starts.at(-1), "app");
  });
}
