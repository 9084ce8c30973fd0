// Starting a board from what lies in its flash: the table of what ESP-IDF's own bootloader did, and our additions to it.

import test from "ava";
import { mendImage } from "../../../firmware/format/image.js";
import {
  encodeOtaEntry,
  OTA_ABORTED,
  OTA_NEW,
  OTA_PENDING_VERIFY,
  OTA_UNDEFINED,
  OTA_VALID,
} from "../../../firmware/format/otadata.js";
import { partitionTable } from "../../../tools/build/tables.js";
import { sha256 } from "../../../tools/simulator/boot.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { readOtaEntries } from "../../../tools/simulator/slots.js";
import { bench, chip, flashFile, imageOf, type FlashContents } from "./small-firmware.js";

const hello = (name: string) =>
  `say("hello from ${name}, slot " + bus("slots.running").join(" ") + ", " + bus("system.info")[2]);`;

const images = {
  first: await imageOf(hello("first")),
  second: await imageOf(hello("second")),
  wrongChip: await imageOf(hello("other chip"), { chipId: 0 }),
  newerChip: await imageOf(hello("newer chip"), { minRevision: 100 }),
  machineCode: await imageOf(hello("machine code"), { project: "blink" }),
};

function changed(image: Uint8Array, how: (copy: Uint8Array) => void): Uint8Array {
  const copy = image.slice();
  how(copy);
  return copy;
}

const inText = Buffer.from(images.first).indexOf("hello from first");
const corrupt = changed(images.first, (copy) => (copy[inText] = "j".charCodeAt(0)));
const checksumAt = images.first.length - 33;
const checksumMended = changed(
  corrupt,
  (copy) => (copy[checksumAt]! ^= "h".charCodeAt(0) ^ "j".charCodeAt(0)),
);

const entry = encodeOtaEntry;
const badCrc = changed(entry(2, OTA_UNDEFINED), (copy) => (copy[28]! ^= 1));

interface Row {
  title: string;
  flash: FlashContents;
  says: RegExp;
  /** What it says before, on the way. */
  because?: RegExp;
}

const both = { ota_0: images.first, ota_1: images.second };
const selected = [entry(1, OTA_VALID), entry(2, OTA_VALID)];
const rows: Row[] = [
  {
    title: "blank otadata starts ota_0 and selects it",
    flash: both,
    says: /from first, slot ota_0 valid, power-on/,
  },
  {
    title: "seq 1, 2 starts ota_1",
    flash: { ...both, otadata: selected },
    says: /from second, slot ota_1 valid/,
  },
  {
    title: "seq 3, 2 starts ota_0",
    flash: { ...both, otadata: [entry(3, OTA_VALID), entry(2, OTA_VALID)] },
    says: /from first, slot ota_0/,
  },
  { title: "a bad CRC starts ota_0", flash: { ...both, otadata: [undefined, badCrc] }, says: /from first/ },
  {
    title: "state ABORTED starts ota_0",
    flash: { ...both, otadata: [entry(1, OTA_VALID), entry(2, OTA_ABORTED)] },
    says: /from first/,
  },
  {
    title: "NEW is on trial",
    flash: { ...both, otadata: [entry(1, OTA_VALID), entry(2, OTA_NEW)] },
    says: /from second, slot ota_1 pending-verify/,
  },
  {
    title: "PENDING_VERIFY was not confirmed: ABORTED, and ota_0",
    flash: { ...both, otadata: [entry(1, OTA_VALID), entry(2, OTA_PENDING_VERIFY)] },
    says: /from first, slot ota_0 valid/,
    because: /otadata\[1\]: the trial was not confirmed, marked as aborted/,
  },
  {
    title: "a changed byte: checksum, falls back",
    flash: { ota_0: images.second, ota_1: corrupt, otadata: selected },
    says: /from second, slot ota_0/,
    because:
      /E \(\d+\) esp_image: Checksum failed\. Calculated 0x[0-9a-f]+ read 0x[0-9a-f]+\r\nE \(\d+\) boot: OTA app partition slot 1 is not bootable/,
  },
  {
    title: "a changed byte with the checksum mended: hash, falls back",
    flash: { ota_0: images.second, ota_1: checksumMended, otadata: selected },
    says: /from second, slot ota_0/,
    because: /Image hash failed - image is corrupt/,
  },
  {
    title: "a wrong chip id falls back",
    flash: { ota_0: images.first, ota_1: images.wrongChip, otadata: selected },
    says: /from first/,
    because: /mismatch chip ID, expected 5, found 0/,
  },
  {
    title: "a newer chip revision falls back",
    flash: { ota_0: images.first, ota_1: images.newerChip, otadata: selected },
    says: /from first/,
    because: /Image requires chip rev >= v1.0, but chip is v0.4/,
  },
  {
    title: "machine code falls back",
    flash: { ota_0: images.first, ota_1: images.machineCode, otadata: selected },
    says: /from first/,
    because: /project "blink" is machine code: a virtual board runs broome-virtual only/,
  },
  {
    title: "an empty slot falls back, forwards too",
    flash: { ota_1: images.second },
    says: /from second, slot ota_1 valid/,
    because: /image at 0x10000 has invalid magic byte/,
  },
  {
    title: "no image at all waits for download",
    flash: {},
    says: /No bootable app partitions[^]*waiting for download/,
  },
  {
    title: "a wrong MD5 of the table waits for download",
    flash: {
      ...both,
      table: changed(partitionTable(chip), (copy) => (copy[32]! ^= 0)).map((byte, at) =>
        at === 5 * 32 + 16 ? byte ^ 1 : byte,
      ),
    },
    says: /Incorrect MD5 checksum[^]*Failed to verify partition table[^]*waiting for download/,
  },
];

for (const { title, flash, says, because } of rows)
  test(`boot: ${title}`, async (t) => {
    const path = flashFile(t, flash);
    const board = await bench(t, path);
    await board.said(says);
    if (because) t.regex(board.text, because);
    t.pass();
  });

test("the ROM and the bootloader speak as on an ESP32-C3, and print the partition table", async (t) => {
  const path = flashFile(t, both);
  const board = await bench(t, path);
  await board.said(/from first/);
  t.regex(
    board.text,
    /^ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb {2}7 2021\r\nrst:0x1 \(POWERON\),boot:0xc \(SPI_FAST_FLASH_BOOT\)\r\n/,
  );
  const table = board.text.split("\r\n").flatMap((line) => /boot: ([ #].*)$/.exec(line)?.[1] ?? []);
  t.deepEqual(table, [
    "## Label            Usage          Type ST Offset   Length",
    " 0 nvs              WiFi data        01 02 00009000 00005000",
    " 1 otadata          OTA data         01 00 0000e000 00002000",
    " 2 ota_0            OTA app          00 10 00010000 001e0000",
    " 3 ota_1            OTA app          00 11 001f0000 001e0000",
    " 4 broome           Unknown data     01 06 003d0000 00010000",
  ]);
});

test("a letter changed in the flash file, checksum and digest mended, changes what the UART says", async (t) => {
  const mended = changed(corrupt, (copy) => void mendImage(copy, sha256));
  const path = flashFile(t, { ota_0: mended });
  const board = await bench(t, path);
  await board.said(/jello from first/);
  t.pass();
});

test("blank otadata becomes seq 1, VALID in sector 0, and every start leaves it so", async (t) => {
  const path = flashFile(t, both);
  const board = await bench(t, path);
  await board.said(/from first/);
  board.simulation.boards[0]!.board.reset();
  await board.said(/from first/, board.text.length);
  await board.close();
  const flash = NorFlash.open({ path, size: chip.flashSize });
  const [zero, one] = readOtaEntries(flash, chip.layout.otadata);
  t.like(zero, { sequence: 1, state: OTA_VALID, crcGood: true });
  t.is(one.sequence, 0xffffffff);
  flash.close();
});
