// Fuzz of what lies in files and flash: images, partition tables, otadata, defaults blocks. The oracles are Node's own sums.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { encodeDefaults, readDefaults } from "../../firmware/format/defaults-block.js";
import { buildImage, verifyImageFile, type ImageInfo } from "../../firmware/format/image.js";
import { chooseSlot, encodeOtaEntry, parseOtaEntry, selectSlot } from "../../firmware/format/otadata.js";
import { encodePartitionTable, parsePartitionTable } from "../../firmware/format/partition-table.js";
import { allChips } from "../../tools/chips/registry.js";
import { partitionsOf } from "../../tools/build/tables.js";
import { damage, pick } from "../support/damage.js";
import type { Random } from "../support/random.js";
import { sha256 } from "../firmware/format/test-image.js";
import { accepted, hasCode, must, type Fuzz } from "./fuzz.js";

const md5 = () => {
  const hash = createHash("md5");
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
};

/** An ESP8266 image of the second form, put together here: we only read them. */
function secondForm(random: Random): Uint8Array {
  const inner = smallImage(random, "esp8266");
  const mapped = random.bytes(16 * (1 + random.below(6)));
  const head = Buffer.alloc(16);
  head.set([0xea, 4, 2, 0x40]);
  head.writeUInt32LE(0x40100004, 4);
  head.writeUInt32LE(mapped.length, 12);
  const body = Buffer.concat([head, mapped, inner]);
  const sum = crc32(body);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(sum >= 0x80000000 ? ~sum >>> 0 : sum + 1);
  return new Uint8Array(Buffer.concat([body, tail]));
}

function smallImage(random: Random, form: "esp32" | "esp8266"): Uint8Array {
  const chip = pick(
    random,
    allChips().filter(({ image }) => image.form === form),
  );
  const segments = Array.from({ length: 1 + random.below(3) }, () => ({
    loadAddress: pick(random, [chip.image.dataAddress, chip.image.codeAddress]),
    data: random.bytes(random.below(200)),
  }));
  return buildImage({ ...chip.image, entry: chip.image.codeAddress, segments }, sha256);
}

/** The sums of an image again, without the code under test. */
function checkSums(bytes: Uint8Array, info: ImageInfo): void {
  let sum = 0xef;
  for (const { fileOffset, length, summed } of info.segments) {
    must(fileOffset + length <= bytes.length, "a segment ends beyond the file");
    if (summed) for (const byte of bytes.subarray(fileOffset, fileOffset + length)) sum ^= byte;
  }
  must(bytes[info.checksumOffset] === sum, "a wrong checksum was accepted");
  const before = bytes.subarray(0, info.checksumOffset + 1);
  const behind = bytes.subarray(info.checksumOffset + 1);
  if (info.hashAppended)
    must(
      createHash("sha256").update(before).digest().equals(behind.subarray(0, 32)),
      "a wrong SHA-256 was accepted",
    );
  if (info.form === "esp8266-v2") {
    const crc = crc32(before);
    const expected = crc >= 0x80000000 ? ~crc >>> 0 : crc + 1;
    must(Buffer.from(behind).readUInt32LE() === expected, "a wrong CRC-32 was accepted");
  }
}

const refusesImage = hasCode("image-corrupt", "image-truncated", "image-encrypted", "image-signed");

export const image: Fuzz = {
  name: "image",
  try(random) {
    const good =
      random.below(3) === 0 ? secondForm(random) : smallImage(random, pick(random, ["esp32", "esp8266"]));
    const bytes = random.below(20) === 0 ? random.bytes(random.below(1200)) : damage(random, good);
    const info = accepted(() => verifyImageFile(bytes, sha256), refusesImage);
    if (info !== undefined) checkSums(bytes, info);
  },
};

export const partitionTable: Fuzz = {
  name: "partition table",
  try(random) {
    const good = encodePartitionTable(partitionsOf(pick(random, allChips())), md5);
    let bytes = damage(random, good);
    if (random.below(2) === 0) bytes = damage(random, bytes);
    const rows = accepted(
      () => parsePartitionTable(bytes, md5),
      hasCode("partition-table-corrupt", "value-not-utf8"),
    );
    rows?.forEach((row, index) => {
      const raw = Buffer.from(bytes.subarray(index * 32, index * 32 + 32));
      must(raw.readUInt16LE() === 0x50aa, "a row without its magic");
      must(row.offset === raw.readUInt32LE(4) && row.size === raw.readUInt32LE(8), "another place");
      must(row.type === raw[2] && row.subtype === raw[3], "another type");
      must(row.offset + row.size <= 2 ** 32, "a row that ends beyond 4 GB");
    });
    const end = (rows?.length ?? 0) * 32;
    if (rows !== undefined && bytes[end] === 0xeb) {
      const sum = createHash("md5").update(bytes.subarray(0, end)).digest();
      must(sum.equals(bytes.subarray(end + 16, end + 32)), "a wrong MD5 was accepted");
    }
  },
};

export const otadata: Fuzz = {
  name: "otadata",
  try(random) {
    const entries = [0, 1].map(() => {
      const state = pick(random, [0, 1, 2, 3, 4, 0xffffffff, 17]);
      const sequence = pick(random, [0, 1, 2, 3, 7, 0x7fffffff, 0xfffffffe, 0xffffffff]);
      const good = encodeOtaEntry(sequence, state);
      const bytes = random.below(2) === 0 ? good : damage(random, good);
      const entry = accepted(() => parseOtaEntry(bytes), hasCode("otadata-corrupt"));
      must((entry === undefined) === bytes.length < 32, "32 bytes are an entry, fewer are not");
      if (entry === undefined) return parseOtaEntry(new Uint8Array(32).fill(0xff));
      const crc = crc32(bytes.subarray(0, 4), 0xffffffff);
      must(entry.crcGood === (Buffer.from(bytes).readUInt32LE(28) === crc), "the CRC is zlib's");
      return entry;
    }) as [ReturnType<typeof parseOtaEntry>, ReturnType<typeof parseOtaEntry>];
    const slots = 1 + random.below(16);
    const { slot, active, entries: after } = chooseSlot(entries, slots);
    must(slot >= 0 && slot < slots, "a slot that is not there");
    if (active !== undefined) {
      must(entries[active].crcGood, "an entry with a wrong CRC rules");
      must(![3, 4].includes(after[active].state), "an entry that is ruled out rules");
    }
    const wanted = random.below(slots);
    const next = selectSlot(entries, wanted, slots);
    // A sequence of 0, or beyond u32, nobody writes; the vendor's arithmetic takes them for other slots as well.
    const usual = entries.every(({ sequence }) => sequence > 0) && next.sequence <= 0xffffffff;
    must(!usual || (next.sequence - 1) % slots === wanted, "another slot would be selected");
  },
};

export const defaults: Fuzz = {
  name: "defaults",
  try(random) {
    const values = { "wifi.ssid": `net ${random.below(1e6)}`, "x.n": random.below(100), tofu: true };
    const bytes = damage(random, encodeDefaults(values));
    const read = accepted(() => readDefaults(bytes), hasCode("defaults-corrupt"));
    if (read === undefined) return;
    const block = Buffer.from(bytes);
    const length = block.readUInt16LE(20);
    const sum = crc32(block.subarray(28, 28 + length), crc32(block.subarray(16, 24)));
    must(sum === block.readUInt32LE(24), "a wrong CRC-32 was accepted");
    must(
      Object.values(read).every((value) => ["string", "number", "boolean"].includes(typeof value)),
      "something else than text, number, boolean",
    );
  },
};
