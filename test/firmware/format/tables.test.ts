// Partition table and otadata against ESP-IDF's own code.

import test from "ava";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { FormatError } from "../../../firmware/format/error.js";
import {
  activeEntry,
  bootOrder,
  chooseSlot,
  encodeOtaEntry,
  OTA_ABORTED,
  OTA_INVALID,
  OTA_NEW,
  OTA_PENDING_VERIFY,
  OTA_UNDEFINED,
  OTA_VALID,
  parseOtaEntry,
  selectSlot,
  type OtaEntries,
} from "../../../firmware/format/otadata.js";
import {
  encodePartitionTable,
  findPartition,
  parsePartitionTable,
  type Partition,
} from "../../../firmware/format/partition-table.js";
import { damage } from "../../support/damage.js";
import { seededRandom } from "../../support/random.js";

const md5 = () => {
  const hash = createHash("md5");
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
};

function vector<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/format/${name}`, import.meta.url), "utf8")) as T;
}

const table = vector<{ table: string; length: number }>("esp-idf-partition-table.json");
const golden = new Uint8Array(table.length).fill(0xff);
golden.set(Buffer.from(table.table, "hex"));
const rows: Partition[] = [
  { label: "nvs", type: 1, subtype: 2, offset: 0x9000, size: 0x5000, flags: 0 },
  { label: "otadata", type: 1, subtype: 0, offset: 0xe000, size: 0x2000, flags: 0 },
  { label: "ota_0", type: 0, subtype: 0x10, offset: 0x10000, size: 0x1e0000, flags: 0 },
  { label: "ota_1", type: 0, subtype: 0x11, offset: 0x1f0000, size: 0x1e0000, flags: 0 },
  { label: "broome", type: 1, subtype: 6, offset: 0x3d0000, size: 0x10000, flags: 0 },
];

test("our partition table is gen_esp32part.py's, byte for byte", (t) => {
  t.deepEqual(encodePartitionTable(rows, md5), golden);
});

test("gen_esp32part.py's partition table parses to our rows", (t) => {
  t.deepEqual(parsePartitionTable(golden, md5), rows);
  t.is(findPartition(rows, "ota_1")?.offset, 0x1f0000);
  t.is(findPartition(rows, "ota_2"), undefined);
});

test("a wrong MD5 row is refused, a missing one is not", (t) => {
  const wrong = golden.slice();
  wrong[0x40 + 4] = 1;
  t.is(
    t.throws(() => parsePartitionTable(wrong, md5), { instanceOf: FormatError })?.code,
    "partition-table-corrupt",
  );
  const missing = golden.slice().fill(0xff, 0xa0);
  t.deepEqual(parsePartitionTable(missing, md5), rows);
});

test("a label may fill its 16 bytes, flags or not", (t) => {
  const bytes = golden.slice();
  bytes.set(Buffer.from("sixteen-letters!"), 12);
  bytes[28] = 1;
  t.is(parsePartitionTable(bytes)[0]!.label, "sixteen-letters!");
});

test("an erased, an empty and a cut table are refused", (t) => {
  for (const bytes of [new Uint8Array(0xc00).fill(0xff), new Uint8Array(0), golden.subarray(0, 100)])
    t.is(
      t.throws(() => parsePartitionTable(bytes, md5), { instanceOf: FormatError })?.code,
      "partition-table-corrupt",
    );
});

test("damaged partition tables never get through with their MD5 row, and never do worse than a FormatError", (t) => {
  const random = seededRandom(4711);
  for (let i = 0; i < 3000; i++) {
    const bytes = damage(random, golden.subarray(0, 224));
    let parsed: Partition[] | undefined;
    try {
      parsed = parsePartitionTable(bytes, md5);
    } catch (error) {
      if (!(error instanceof FormatError))
        return void t.fail(`seed ${random.seed}, case ${i}: ${String(error)}`);
      continue;
    }
    // Without its MD5 row a table counts as one that never had it; with it, no changed row may pass.
    const summed = bytes[0xa0] === 0xeb && parsed.length === rows.length;
    if (summed && Buffer.compare(bytes.subarray(0, 0xa0), golden.subarray(0, 0xa0)) !== 0)
      return void t.fail(`seed ${random.seed}, case ${i}: a changed row got through`);
  }
  t.pass();
});

type Raw = [sequence: number, state: number, crc: number];
interface Case {
  in: [Raw, Raw];
  out: [Raw, Raw];
  written: [number, number];
  slot: number;
  initial: number;
  select: { slot: number; sector: 0 | 1; sequence: number };
}

function entryBytes([sequence, state, crc]: Raw): Uint8Array {
  const bytes = new Uint8Array(32).fill(0xff);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sequence, true);
  view.setUint32(24, state, true);
  view.setUint32(28, crc, true);
  return bytes;
}

test("slot choice, state changes and next sequence are ESP-IDF's own for 160 pairs of entries", (t) => {
  for (const [i, c] of vector<Case[]>("esp-idf-otadata.json").entries()) {
    const entries = c.in.map((raw) => parseOtaEntry(entryBytes(raw))) as unknown as OtaEntries;
    const choice = chooseSlot(entries, 2);
    // -1 = "will try all partitions": without a factory app that begins with slot 0.
    t.is(choice.slot, Math.max(c.slot, 0), `case ${i}`);
    t.is(choice.initial, c.initial === 1, `case ${i}`);
    t.deepEqual(choice.changed.map(Number), c.written, `case ${i}`);
    t.deepEqual(
      choice.entries.map(({ sequence, state }) => [sequence, state]),
      c.out.map(([sequence, state]) => [sequence, state]),
      `case ${i}`,
    );
    const { slot, ...expected } = c.select;
    t.deepEqual(selectSlot(entries, slot, 2), expected, `case ${i}`);
  }
});

test("an encoded entry carries the CRC that ESP-IDF computes", (t) => {
  t.is(
    Buffer.from(encodeOtaEntry(1, OTA_VALID)).toString("hex"),
    `01000000${"ff".repeat(20)}020000009a984347`,
  );
  t.is(Buffer.from(encodeOtaEntry(2, OTA_NEW)).toString("hex"), `02000000${"ff".repeat(20)}000000007437f655`);
  t.deepEqual(parseOtaEntry(encodeOtaEntry(9, OTA_ABORTED)), {
    sequence: 9,
    state: OTA_ABORTED,
    crcGood: true,
  });
});

const empty = parseOtaEntry(new Uint8Array(32).fill(0xff));
const entry = (sequence: number, state: number) => parseOtaEntry(encodeOtaEntry(sequence, state));
const badCrc = { ...entry(2, OTA_VALID), crcGood: false };

// As a real bootloader (ESP-IDF v5.2-dev, under emulation) chose.
const choices: [string, OtaEntries, number][] = [
  ["both erased", [empty, empty], 0],
  ["sequence 1 and 2", [entry(1, OTA_UNDEFINED), entry(2, OTA_UNDEFINED)], 1],
  ["sequence 2 with a bad CRC", [entry(1, OTA_VALID), badCrc], 0],
  ["sequence 2 aborted", [entry(1, OTA_VALID), entry(2, OTA_ABORTED)], 0],
  ["sequence 2 invalid", [entry(1, OTA_VALID), entry(2, OTA_INVALID)], 0],
  ["sequence 2 new", [entry(1, OTA_VALID), entry(2, OTA_NEW)], 1],
  ["sequence 2 on trial at a reset", [entry(1, OTA_VALID), entry(2, OTA_PENDING_VERIFY)], 0],
  ["sequence 3 in sector 0", [entry(3, OTA_VALID), entry(2, OTA_VALID)], 0],
];
for (const [name, entries, slot] of choices)
  test(`otadata: ${name} boots ota_${slot}`, (t) => t.is(chooseSlot(entries, 2).slot, slot));

test("a new image goes on trial at its first boot and is aborted at the second", (t) => {
  const first = chooseSlot([entry(1, OTA_VALID), entry(2, OTA_NEW)], 2);
  t.is(first.entries[1].state, OTA_PENDING_VERIFY);
  t.deepEqual(first.changed, [false, true]);
  const second = chooseSlot(first.entries, 2);
  t.is(second.entries[1].state, OTA_ABORTED);
  t.is(second.slot, 0);
  t.is(activeEntry(second.entries), 0);
});

test("slots are tried downwards from the chosen one, then upwards", (t) => {
  t.deepEqual(bootOrder(0, 2), [0, 1]);
  t.deepEqual(bootOrder(1, 2), [1, 0]);
  t.deepEqual(bootOrder(2, 4), [2, 1, 0, 3]);
});

test("any 32 bytes are an otadata entry, fewer are not", (t) => {
  const random = seededRandom(99);
  for (let i = 0; i < 500; i++) t.notThrows(() => parseOtaEntry(random.bytes(32)));
  t.is(t.throws(() => parseOtaEntry(random.bytes(31)), { instanceOf: FormatError })?.code, "otadata-corrupt");
});
