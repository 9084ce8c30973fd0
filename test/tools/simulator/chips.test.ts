// Every chip by its data alone: its layout holds together, its ROM speaks, its image boots.

import test from "ava";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { buildImage, parseImage, reader } from "../../../firmware/format/image.js";
import { encodeOtaEntry, OTA_VALID } from "../../../firmware/format/otadata.js";
import { parsePartitionTable } from "../../../firmware/format/partition-table.js";
import { partitionTable } from "../../../tools/build/tables.js";
import type { Chip } from "../../../tools/chips/chip.js";
import { allChips, chipByImageId, chipByName } from "../../../tools/chips/registry.js";
import { openPort } from "../../../tools/serial/open.js";
import { sha256, verifySlot } from "../../../tools/simulator/boot.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { loadLines } from "../../../tools/simulator/rom-log.js";
import { Registers } from "../../../tools/simulator/registers.js";
import { bench, flashFile, imageOf } from "./small-firmware.js";

const MAC = Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55);
/** esptool targets/: what detection and read-mac look at. */
const known: Record<
  string,
  { id: number | undefined; magic: number; image: number | undefined; strap: number }
> = {
  esp8266: { id: undefined, magic: 0xfff0c101, image: undefined, strap: 0 },
  esp32: { id: undefined, magic: 0x00f01d83, image: 0, strap: 0 },
  esp32c3: { id: 5, magic: 0x1b31506f, image: 5, strap: 9 },
  esp32s3: { id: 9, magic: 0x9, image: 9, strap: 0 },
  esp32c6: { id: 13, magic: 0x2ce0806f, image: 13, strap: 9 },
};

test("the registry holds the five chips, each found by its names and by its images", (t) => {
  t.deepEqual(
    allChips()
      .map(({ name }) => name)
      .sort(),
    Object.keys(known).sort(),
  );
  for (const chip of allChips()) {
    t.is(chipByName(chip.name), chip);
    t.is(chipByName(chip.family), chip);
    t.is(chipByImageId(chip.image.chipId), chip);
    const { id, magic, image, strap } = known[chip.name]!;
    t.is(chip.rom.securityInfoId, id);
    t.is(chip.rom.magic[0], magic);
    t.is(chip.image.chipId, image);
    t.is(chip.start.strapPin, strap);
  }
});

for (const chip of allChips()) {
  test(`${chip.name}: nothing in its layout overlaps, and all of it lies in its flash`, (t) => {
    const regions = Object.values(chip.layout).filter((part) => typeof part === "object");
    for (const { offset, size } of regions) {
      t.is(offset % 0x1000, 0);
      t.is(size % 0x1000, 0);
      t.true(offset + size <= chip.flashSize);
    }
    const sorted = [...regions].sort((a, b) => a.offset - b.offset);
    sorted.slice(1).forEach((region, i) => t.true(region.offset >= sorted[i]!.offset + sorted[i]!.size));
    t.is(chip.layout.ota_0.size, chip.layout.ota_1.size);
    t.is(parsePartitionTable(partitionTable(chip)).length, 5);
  });

  test(`${chip.name}: its header says 4 MB, its image is its own form, its code goes to its RAM`, (t) => {
    const { image, rom } = chip;
    t.is(image.flashSizes[image.flashSize], "4MB");
    t.truthy(image.flashFrequencies[image.flashFrequency]);
    t.true(rom.ram.some(({ start, end }) => image.codeAddress >= start && image.codeAddress < end));
    const segments = [{ loadAddress: image.dataAddress, data: new Uint8Array(256) }];
    const bytes = buildImage({ ...image, entry: image.codeAddress, segments }, sha256);
    const { form, chipId } = parseImage(reader(bytes), bytes.length);
    t.deepEqual([form, chipId], [image.form, image.chipId]);
  });

  test(`${chip.name}: MAC, package and revision are in its fuses, the flash's id behind its SPI controller`, (t) => {
    const flash = NorFlash.open({ size: 0x800000 });
    const registers = new Registers({ chip, mac: MAC, flash, baudRate: () => 115200 });
    const field = (parts: Chip["rom"]["mac"]) =>
      parts.reduceRight((value, { address, shift, bits }) => {
        return value * 2 ** bits + ((registers.read(address) >>> shift) & (2 ** bits - 1));
      }, 0);
    t.deepEqual(
      chip.rom.mac.map((part) => field([part])),
      [...MAC],
    );
    const { fields, specimen, packages, majorRevisions } = chip.rom;
    t.is(field(fields.package), specimen.package);
    t.truthy(packages[specimen.package]);
    const major = field(fields.majorRevision);
    t.is(majorRevisions?.[major] ?? major, specimen.majorRevision);
    t.is(field(fields.minorRevision), specimen.minorRevision);
    for (const { address } of chip.rom.mac) {
      const before = registers.read(address);
      registers.write(address, ~before >>> 0, 0xffffffff);
      t.is(registers.read(address), before, "a fuse");
    }
    t.is(registers.read(0x40001000), chip.rom.magic[0]);
    const { uartClock, crystal } = chip.rom;
    if (uartClock !== undefined)
      t.is(Math.round((field([uartClock.divider]) * 115200) / uartClock.perCrystal / 1e6), crystal);

    const { base, usr1, usr2, misoLength, data, addressAtTop } = chip.rom.spi;
    const spi = (command: number, bits: number, address: number) => {
      registers.write(base + usr1, (23 << 26) >>> 0, 0xffffffff);
      const { offset, shift, bits: width } = misoLength;
      registers.write(base + offset, (bits - 1) * 2 ** shift, (2 ** width - 1) * 2 ** shift);
      registers.write(base + usr2, ((7 << 28) | command) >>> 0, 0xffffffff);
      registers.write(base + 4, addressAtTop ? (address << 8) >>> 0 : address, 0xffffffff);
      registers.write(base + data, 0, 0xffffffff);
      registers.write(base, 1 << 18, 0xffffffff);
      t.is(registers.read(base) & (1 << 18), 0, "done");
      return registers.read(base + data);
    };
    t.is(spi(0x9f, 24, 0), 0x1740c8);
    t.is(spi(0x5a, 32, 0), 0x50444653, "SFDP");
    t.is(spi(0x5a, 32, 0x34), 0x800000 * 8 - 1, "its density");
  });

  test(`${chip.name}: the ROM's messages, the partition table, and an app from either slot`, async (t) => {
    const image = await imageOf(`say("on " + bus("system.info")[0] + " from " + bus("slots.running")[0]);`, {
      chip,
    });
    const otadata = [encodeOtaEntry(2, OTA_VALID)];
    const file = flashFile(t, { ota_0: image, ota_1: image, otadata }, chip);
    const board = await bench(t, file, { chip });
    await board.said(new RegExp(`on ${chip.name} from ota_1`));
    for (const line of chip.start.lines.filter((text) => text !== "" && !text.includes("{")))
      t.true(board.text.includes(line));
    t.true(board.text.includes(chip.start.bootFromFlash));
    t.regex(board.text, /1 otadata {10}OTA data/);
    await board.close();
    const first = flashFile(t, { ota_0: image }, chip);
    await (await bench(t, first, { chip })).said(new RegExp(`on ${chip.name} from ota_0`));
  });

  test(`${chip.name}: an image of another chip is not started; with the strap pin low it waits for a download`, async (t) => {
    const other = allChips()[(allChips().indexOf(chip) + 1) % allChips().length]!;
    const image = await imageOf(`say("never");`, { chip: other });
    const board = await bench(t, flashFile(t, { ota_0: image }, chip), { chip });
    await board.said(/No bootable app partitions/);
    t.notRegex(board.text, /never/);
    t.is(board.simulation.boards[0]!.board.state, "download");
    const mark = board.text.length;
    board.simulation.boards[0]!.board.setPin(chip.start.strapPin, false);
    board.simulation.boards[0]!.board.reset();
    t.true(board.text.slice(mark).includes(chip.start.bootDownload));
    t.is(board.text.slice(mark).includes("waiting for download"), chip.start.waiting !== undefined);
  });
}

const loads: [string, RegExp][] = [
  [
    "esp32c3",
    /SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3fcd5820,len:0x18\r\nload:0x403cc710,len:0x28\r\nentry 0x403cc710\r\nI/,
  ],
  [
    "esp32",
    /wp_drv:0x00\r\nmode:DIO, clock div:2\r\nload:0x3fcd5820,len:24\r\nload:0x403cc710,len:40\r\nentry 0x403cc710\r\nI/,
  ],
];
for (const [name, expected] of loads)
  test(`${name}: where a bootloader of the vendor's lies, the ROM says what it loads of it`, async (t) => {
    const chip = chipByName(name);
    const segments = [
      { loadAddress: 0x3fcd5820, data: new Uint8Array(24) },
      { loadAddress: 0x403cc710, data: new Uint8Array(40) },
    ];
    const file = flashFile(t, { ota_0: await imageOf(`say("hello");`, { chip }) }, chip);
    const flash = NorFlash.open({ path: file, size: chip.flashSize });
    const loader = buildImage({ ...chip.image, entry: 0x403cc710, segments }, sha256);
    flash.program(chip.layout.bootloader.offset, loader);
    flash.close();
    const board = await bench(t, file, { chip });
    await board.said(/hello/);
    t.regex(board.text, expected);
  });

test("an ESP8266's ROM tells of each segment: how much of a block of 16 was left, and the sum so far", (t) => {
  const chip = chipByName("esp8266");
  // Lengths, room and tail of a boot log that many have seen; the data is ours.
  const segments = [
    [0x40100000, 2408],
    [0x3ffe8000, 776],
    [0x3ffe8310, 632],
  ].map(([loadAddress, length]) => ({ loadAddress: loadAddress!, data: new Uint8Array(length!) }));
  segments[1]!.data[5] = 0x61;
  const flash = NorFlash.open({ size: chip.flashSize });
  flash.program(0, buildImage({ ...chip.image, entry: 0x40100004, segments }, sha256));
  t.deepEqual(loadLines(chip, flash), [
    ...["load 0x40100000, len 2408, room 16 ", "tail 8", "chksum 0xef"],
    ...["load 0x3ffe8000, len 776, room 0 ", "tail 8", "chksum 0x8e"],
    ...["load 0x3ffe8310, len 632, room 0 ", "tail 8", "chksum 0x8e"],
    "csum 0x8e",
  ]);
  t.deepEqual(loadLines(chip, NorFlash.open({ size: chip.flashSize })), []);
});

test("an ESP8266 starts images of the first form; the second is refused before it is selected", (t) => {
  const vectors = JSON.parse(
    readFileSync(new URL("../../vectors/format/esptool-esp8266-images.json", import.meta.url), "utf8"),
  ) as { form: string; image: string }[];
  const chip = chipByName("esp8266");
  for (const [form, message] of [
    ["esp8266", undefined],
    ["esp8266-v2", /mismatch image form, expected esp8266, found esp8266-v2/],
  ] as const) {
    const flash = NorFlash.open({ size: chip.flashSize });
    const { image } = vectors.find((vector) => vector.form === form)!;
    flash.program(chip.layout.ota_1.offset, new Uint8Array(Buffer.from(image, "hex")));
    const verify = () => verifySlot(flash, chip, chip.layout.ota_1);
    if (message === undefined) t.notThrows(verify);
    else t.throws(verify, { message });
  }
});

test("an ESP8266's ROM speaks at 74880, its app at 115200: each is garbage at the other's rate", async (t) => {
  const chip = chipByName("esp8266");
  const image = await imageOf(`say("hello");`, { chip });
  const board = await bench(t, flashFile(t, { ota_0: image }, chip), { chip });
  const { board: device, reach } = board.simulation.boards[0]!;
  const heardAt = async (baudRate: number) => {
    const port = await openPort(reach.rfc2217, { baudRate });
    let heard = "";
    port.listen((bytes) => (heard += Buffer.from(bytes).toString("latin1")));
    const mark = board.text.length;
    device.reset();
    await board.said(/hello/, mark);
    await sleep(100); // over the network
    await port.close();
    return heard;
  };
  const app = await heardAt(115200);
  t.regex(app, /hello/);
  t.notRegex(app, /ets Jan/);
  const rom = await heardAt(74880);
  t.regex(rom, / ets Jan {2}8 2013,rst cause:2, boot mode:\(3,6\)/);
  t.notRegex(rom, /hello/);
});
