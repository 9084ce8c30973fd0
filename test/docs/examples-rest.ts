// Examples of SPEC.md: the bytes at rest.

import { deepEqual, equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  APP_DESCRIPTOR_OFFSET,
  APP_DESCRIPTOR_SIZE,
  encodeAppDescriptor,
  parseAppDescriptor,
} from "../../firmware/format/app-descriptor.js";
import {
  blankDefaults,
  encodeDefaults,
  findDefaults,
  readDefaults,
} from "../../firmware/format/defaults-block.js";
import type { Hash } from "../../firmware/format/hash.js";
import { buildImage, verifyImageFile } from "../../firmware/format/image.js";
import { encodeOtaEntry, OTA_VALID, parseOtaEntry } from "../../firmware/format/otadata.js";
import { parsePartitionTable } from "../../firmware/format/partition-table.js";
import { rememberNetwork } from "../../firmware/connect/networks.js";
import { setCount } from "../../firmware/store/json-record.js";
import { BOOT_NUMBER, MINIMUM_SC, NETWORKS } from "../../firmware/store/keys.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { partitionsOf, partitionTable } from "../../tools/build/tables.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import type { Examples } from "./example.js";
import { counting, SERVER_URL, utf8 } from "./fixed.js";
import { dump, undump } from "./spec-file.js";

const hasher = (name: string) => (): Hash => {
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
};
const sha256 = hasher("sha256");

const descriptor = {
  secureVersion: 0,
  version: "1.0.0",
  project: "broome-virtual",
  time: "00:00:00",
  date: "Jan  1 1970",
  idf: "xs-13.3.0",
  elfSha256: counting(0xc0, 32),
};

function image(): Uint8Array {
  const data = new Uint8Array(APP_DESCRIPTOR_SIZE + 16).fill(0x2e);
  data.set(encodeAppDescriptor(descriptor));
  const { dataAddress, codeAddress, idleCode, ...header } = esp32c3.image;
  const segments = [
    { loadAddress: dataAddress, data },
    { loadAddress: codeAddress, data: Uint8Array.from(idleCode) },
  ];
  return buildImage({ ...header, entry: codeAddress, segments }, sha256);
}

const imageFields = [
  [1, "magic"],
  [1, "2 segments"],
  [1, "flash mode 2: DIO"],
  [1, "flash 2: 4 MB, frequency f: 80 MHz"],
  [4, "entry 0x40380000"],
  [1, "WP pin: none"],
  [3, "drive strengths: default"],
  [2, "chip id 5: ESP32-C3"],
  [1, "oldest revision, legacy field"],
  [2, "oldest revision 0.3"],
  [2, "newest revision 1.99"],
  [4, "reserved"],
  [1, "a SHA-256 follows"],
  [4, "segment 0: load address 0x3c000020"],
  [4, "length 272"],
  [4, "app descriptor: magic"],
  [4, "secure_version 0"],
  [8, "reserved"],
  [32, 'version "1.0.0"'],
  [32, 'project "broome-virtual"'],
  [16, 'time "00:00:00"'],
  [16, 'date "Jan  1 1970"'],
  [32, 'idf "xs-13.3.0"'],
  [32, "app_elf_sha256"],
  [80, "reserved: end of the descriptor"],
  [16, "here the archive would begin"],
  [4, "segment 1: load address 0x40380000"],
  [4, "length 8"],
  [8, "wfi; j -4"],
  [15, "padding"],
  [1, "checksum"],
  [32, "SHA-256 of everything above"],
] as const;

const values = {
  "wifi.ssid": "Broome",
  "wifi.password": "cable-beach-6725",
  "device.name": "Bret's gadget",
  "server.url": SERVER_URL,
  "trial.uptimeMs": 2000,
};

const blockFields = (length: number, sum: string) =>
  [
    [16, "marker"],
    [2, "version 1"],
    [2, "capacity 996"],
    [2, `length ${length}`],
    [2, "0"],
    [4, sum],
    ...(length > 0 ? ([[length, "JSON"]] as const) : []),
    [996 - length, "padding"],
  ] as const;

const network = { ssid: utf8("Broome"), password: "cable-beach-6725" };
const STORE_SIZE = 0x10000;
const STORE_SHOWN = 0x50;

function writtenStore(): Uint8Array {
  const nor = NorFlash.open({ size: STORE_SIZE });
  const store = new LogStore({ flash: flashRegion(nor) });
  setCount(store, BOOT_NUMBER, 1);
  rememberNetwork(store, network);
  setCount(store, BOOT_NUMBER, 2);
  store.delete(NETWORKS);
  return nor.read(0, STORE_SHOWN);
}

const storeFields = [
  [4, '"BRM1"'],
  [4, "sequence of this sector: 1"],
  [4, "CRC-32 of the 8 bytes above"],
  [1, "key 1, BOOT_NUMBER"],
  [1, "check: 5a ^ 01 ^ 04 ^ 00"],
  [2, "length 4"],
  [4, "CRC-32 of these 4 bytes and the value"],
  [4, "value: 1"],
  [4, "key 6, NETWORKS; check; length 24"],
  [4, "CRC-32"],
  [1, "SSID: 6 bytes"],
  [6, '"Broome"'],
  [1, "password: 16 bytes"],
  [16, '"cable-beach-6725"'],
  [4, "key 1 again"],
  [4, "CRC-32"],
  [4, "value: 2, the one that counts"],
  [4, "key 6 again, length 0: deleted"],
  [4, "CRC-32"],
  [4, "erased: here the next record goes"],
] as const;

function checkStore(text: string): void {
  const nor = NorFlash.open({ size: STORE_SIZE });
  nor.program(0, undump(text));
  const store = new LogStore({ flash: flashRegion(nor) });
  deepEqual(store.get(BOOT_NUMBER), Uint8Array.of(2, 0, 0, 0));
  equal(store.get(NETWORKS), undefined);
  setCount(store, MINIMUM_SC, 7);
  equal(nor.read(STORE_SHOWN - 4, 1)[0], MINIMUM_SC, "the next record goes where SPEC.md says");
}

export const restExamples: Examples = {
  image: {
    make: () => dump(image(), imageFields),
    check(text) {
      const bytes = undump(text);
      equal(verifyImageFile(bytes, sha256).chipId, esp32c3.image.chipId);
      const at = APP_DESCRIPTOR_OFFSET;
      deepEqual(parseAppDescriptor(bytes.subarray(at, at + APP_DESCRIPTOR_SIZE)), descriptor);
    },
  },
  "defaults-blank": {
    make: () => dump(blankDefaults(), blockFields(0, "CRC-32 of bytes 16 to 23")),
    check(text) {
      deepEqual(findDefaults(undump(text)), { offset: 0, capacity: 996 });
      equal(readDefaults(undump(text)), undefined);
    },
  },
  "defaults-filled": {
    make() {
      const length = utf8(JSON.stringify(values)).length;
      return dump(encodeDefaults(values), blockFields(length, "CRC-32 of bytes 16 to 23 and the JSON"));
    },
    check: (text) => deepEqual(readDefaults(undump(text)), values),
  },
  "partition-table": {
    make() {
      const rows = partitionsOf(esp32c3).map(({ label }) => [32, `row "${label}"`] as const);
      const fields = [...rows, [16, "MD5 row"] as const, [16, "MD5 of the rows above"] as const];
      return dump(partitionTable(esp32c3), [...fields, [-1, "FF up to 0xc00"]]);
    },
    check: (text) => deepEqual(parsePartitionTable(undump(text), hasher("md5")), partitionsOf(esp32c3)),
  },
  "otadata-entry": {
    make: () =>
      dump(encodeOtaEntry(2, OTA_VALID), [
        [4, "sequence 2: of two slots the second, ota_1"],
        [20, "label: not used"],
        [4, "state 2: VALID"],
        [4, "CRC-32 of the sequence, begun at FFFFFFFF"],
      ]),
    check: (text) => deepEqual(parseOtaEntry(undump(text)), { sequence: 2, state: OTA_VALID, crcGood: true }),
  },
  "store-sector": { make: () => dump(writtenStore(), storeFields), check: checkStore },
};
