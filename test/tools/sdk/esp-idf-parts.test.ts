// What `build --sdk` makes of a build directory of ESP-IDF 6.0 as mcconfig leaves it: parts, offsets, limits, the app descriptor, and
// each refusal. The files have the names, places and forms of a real build; their contents are small.

import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { findDefaults } from "../../../firmware/format/defaults-block.js";
import { buildImage, parseImage, reader, verifyImageFile } from "../../../firmware/format/image.js";
import { initialOtadata, partitionTable } from "../../../tools/build/tables.js";
import { chipByName } from "../../../tools/chips/registry.js";
import { collect } from "../../../tools/sdk/collect.js";
import { requiredSettings } from "../../../tools/sdk/sdkconfig.js";
import { sdkTarget } from "../../../tools/sdk/target.js";
import { sha256, testImage } from "../../firmware/format/test-image.js";
import { elfFile } from "../../support/elf-file.js";

const c3 = chipByName("esp32c3");

/** The table of a real map: `broome build --sdk --chip esp32c3`, ESP-IDF 6.0's linker scripts, GNU ld; what is around it is cut short. */
const MAP = `Archive member included to satisfy reference by file (symbol)

Memory Configuration

Name             Origin             Length             Attributes
iram0_0_seg      0x40380000         0x0004e710         xr
iram0_2_seg      0x42000020         0x007fffe0         xr
dram0_0_seg      0x3fc80000         0x0004e710         rw
drom0_0_seg      0x3c000020         0x007fffe0         r
*default*        0x00000000         0xffffffff

Linker script and memory map

iram0_0_seg      0x00000000         0x00000001         x
`;
/** The same build's sections, as `size -A` printed them. */
const PROGRAM = elfFile([
  { name: ".iram0.text", address: 0x40380000, size: 0x10702 },
  { name: ".iram0.text_end", address: 0x40390702, size: 0xfe },
  { name: ".dram0.dummy", address: 0x3fc80000, size: 0x10800 },
  { name: ".dram0.data", address: 0x3fc90800, size: 0x233c },
  { name: ".dram0.bss", address: 0x3fc92b40, size: 0x4d78 },
  { name: ".dram0.heap_start", address: 0x3fc978b8, size: 8 },
  { name: ".flash.text", address: 0x42000020, size: 0xd99ac },
  { name: ".flash.appdesc", address: 0x3c0e0020, size: 0x100 },
  { name: ".flash.rodata", address: 0x3c0e0120, size: 0x5d9c0 },
]);
const HEADER = requiredSettings
  .filter(([, value]) => value !== "n")
  .map(([name, value]) => `#define ${name} ${value === "y" ? "1" : value}`)
  .join("\n");

/** Of another chip where `chipId` says so; a byte is wrong where `damaged`. */
function bootloader({ size = 12_000, chipId = c3.image.chipId, damaged = false } = {}): Uint8Array {
  const header = { chipId, entry: 0x403cbf10, flashMode: 2, flashSize: 2, flashFrequency: 15 };
  const segments = [{ loadAddress: 0x403cbf10, data: new Uint8Array(size - 100).fill(0x13) }];
  const image = buildImage({ ...header, minRevision: 3, maxRevision: 199, segments }, sha256);
  if (damaged) image[1000]! ^= 1;
  return image;
}

/** Paths from the folder that holds mcconfig's `bin` and `work`. */
const MADE: Readonly<Record<string, string | Uint8Array>> = {
  "bin/xs_esp32.bin": testImage(),
  "bin/bootloader.bin": bootloader(),
  "bin/partition-table.bin": partitionTable(c3),
  "work/xsProj-esp32c3/build/config/sdkconfig.h": HEADER,
  "work/xsProj-esp32c3/build/xs_esp32.map": MAP,
  "work/xsProj-esp32c3/build/xs_esp32.elf": PROGRAM,
};

/** `changes`: other contents; undefined where there is no such file. */
function collected(t: ExecutionContext, changes: Record<string, string | Uint8Array | undefined> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "broome-esp-idf-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries({ ...MADE, ...changes })) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return collect({
    ...{ target: sdkTarget("esp32c3"), bin: join(folder, "bin"), work: join(folder, "work") },
    ...{ version: "2.0.1", product: "tide-gauge", securityCounter: 7 },
  });
}

test("four parts at the layout's offsets; otadata is ours, erased", (t) => {
  const { parts } = collected(t);
  t.deepEqual(
    parts.map(({ name, offset }) => [name, offset]),
    [
      ["bootloader.bin", 0],
      ["partition-table.bin", 0x8000],
      ["ota_data_initial.bin", 0xe000],
      ["app.bin", 0x10000],
    ],
  );
  t.deepEqual(parts[2]!.bytes, initialOtadata());
});

test("version, product and counter are put into the descriptor, the sums mended, the rest kept", (t) => {
  const before = testImage();
  const { parts, defaults } = collected(t);
  const app = parts[3]!.bytes;
  verifyImageFile(app, sha256);
  const at = parseImage(reader(app), app.length).segments[0]!.fileOffset;
  const { version, project, secureVersion, idf } = parseAppDescriptor(app.subarray(at));
  t.deepEqual([version, project, secureVersion, idf], ["2.0.1", "tide-gauge", 7, "xs-13.3.0"]);
  t.deepEqual(app.subarray(at + 176, app.length - 33), before.subarray(at + 176, app.length - 33));
  t.deepEqual(defaults, findDefaults(app));
});

test("limits: the slot, and each memory up to the end of its last section", (t) => {
  const { slot, update, irom, iram, dram } = collected(t).limits;
  t.is(slot, c3.layout.ota_0.size);
  t.true(update! > testImage().length);
  t.deepEqual(irom, { used: 891308, max: 0x7fffe0 });
  t.deepEqual(iram, { used: 67584, max: 0x4e710 });
  t.deepEqual(dram, { used: 96448, max: 0x4e710 });
});

const build = "work/xsProj-esp32c3/build";
const csv = Uint8Array.from(partitionTable(c3), (byte, i) => (i === 0x46 ? byte ^ 1 : byte));
const refusals: [
  title: string,
  changes: Record<string, string | Uint8Array | undefined>,
  code: string,
  words: RegExp,
][] = [
  ["no app", { "bin/xs_esp32.bin": undefined }, "sdk-build-failed", /there is no .*xs_esp32\.bin/],
  [
    "a bootloader that reaches into the partition table",
    { "bin/bootloader.bin": bootloader({ size: 33_000 }) },
    "sdk-config",
    /bootloader has \d{5} bytes; up to the partition table there are 32768/,
  ],
  [
    "a damaged bootloader",
    { "bin/bootloader.bin": bootloader({ damaged: true }) },
    "image-corrupt",
    /bootloader\.bin: Checksum failed/,
  ],
  [
    "another chip's bootloader",
    { "bin/bootloader.bin": bootloader({ chipId: 0 }) },
    "sdk-build-failed",
    /id 0; the esp32c3 has 5/,
  ],
  ["no bootloader", { "bin/bootloader.bin": undefined }, "sdk-build-failed", /bootloader\.bin/],
  ["no table", { "bin/partition-table.bin": undefined }, "sdk-build-failed", /partition-table\.bin/],
  ["no settings", { [`${build}/config/sdkconfig.h`]: undefined }, "sdk-build-failed", /sdkconfig\.h/],
  ["another table", { "bin/partition-table.bin": csv }, "sdk-config", /not the one of partitions\.csv/],
  [
    "settings that were overruled",
    { [`${build}/config/sdkconfig.h`]: HEADER.replace("ROLLBACK_ENABLE 1", "X 1") },
    "sdk-config",
    /ROLLBACK_ENABLE is not set/,
  ],
  ["a map without memories", { [`${build}/xs_esp32.map`]: "" }, "elf-unreadable", /no memory configuration/],
  ["a program that is none", { [`${build}/xs_esp32.elf`]: "MZ" }, "elf-unreadable", /no ELF header/],
  ["an app cut short", { "bin/xs_esp32.bin": testImage().slice(0, 900) }, "image-truncated", /./],
  [
    "no defaults block",
    { "bin/xs_esp32.bin": testImage({ block: new Uint8Array(16) }) },
    "defaults-missing",
    /./,
  ],
];
for (const [title, changes, code, words] of refusals)
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => collected(t, changes), { message: words });
    t.is((error as { code?: string }).code, code);
  });
