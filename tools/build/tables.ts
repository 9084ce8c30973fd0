// Partition table and initial otadata of a chip's layout (DESIGN.md, decision 4).

import { createHash } from "node:crypto";
import { OTADATA_SIZE } from "../../firmware/format/otadata.js";
import {
  encodePartitionTable,
  SUBTYPE_NVS,
  SUBTYPE_OTA_0,
  SUBTYPE_OTADATA,
  TYPE_APP,
  TYPE_DATA,
  type Partition,
} from "../../firmware/format/partition-table.js";
import type { Chip, Region } from "../chips/chip.js";

const SUBTYPE_UNDEFINED = 6; // of data: found by its label

/** The rows of `partitions.csv`, for virtual and real boards alike. */
export function partitionsOf({ layout }: Chip): Partition[] {
  const row = (label: string, type: number, subtype: number, { offset, size }: Region): Partition => {
    return { label, type, subtype, offset, size, flags: 0 };
  };
  return [
    row("nvs", TYPE_DATA, SUBTYPE_NVS, layout.nvs),
    row("otadata", TYPE_DATA, SUBTYPE_OTADATA, layout.otadata),
    row("ota_0", TYPE_APP, SUBTYPE_OTA_0, layout.ota_0),
    row("ota_1", TYPE_APP, SUBTYPE_OTA_0 + 1, layout.ota_1),
    row("broome", TYPE_DATA, SUBTYPE_UNDEFINED, layout.broome),
  ];
}

export function partitionTable(chip: Chip): Uint8Array {
  return encodePartitionTable(partitionsOf(chip), () => {
    const hash = createHash("md5");
    return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
  });
}

/** Both sectors erased: the bootloader then starts ota_0 and writes its entry. */
export function initialOtadata(): Uint8Array {
  return new Uint8Array(OTADATA_SIZE).fill(0xff);
}
