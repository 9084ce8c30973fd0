// The partitions that a flash has or is about to get, and how a merged image is cut at them so that none is harmed.

import { FormatError } from "../../firmware/format/error.js";
import {
  parsePartitionTable,
  type Partition,
  SUBTYPE_NVS,
  SUBTYPE_OTADATA,
  TYPE_APP,
  TYPE_DATA,
} from "../../firmware/format/partition-table.js";
import type { Chip, Layout } from "../chips/chip.js";
import { FlasherError } from "./error.js";
import { isBlank, partOf, SECTOR_SIZE, type Region } from "./regions.js";

/** Bytes of a table that are read: 14 rows, its MD5 and its end. A longer one is taken for none. */
const TABLE_PART = 512;

/** A stretch of flash that has a name. */
export interface Place {
  readonly label: string;
  readonly offset: number;
  readonly size: number;
  /** "kept": what a board has learned lies there (nvs, otadata, the broome store). */
  readonly kind: "app" | "kept" | "other";
}

/**
 * From the partition table that is about to be written, else from the one that the board has (`onBoard`), else from the chip's own
 * layout. @throws FormatError `partition-table-corrupt` for the one that is to be written
 */
export function placesOf(chip: Chip, regions: readonly Region[], onBoard?: readonly Partition[]): Place[] {
  const table = tableIn(regions, chip.layout.partitionTable);
  const partitions = table ? parsePartitionTable(table) : onBoard;
  if (!partitions) return layoutPlaces(chip.layout);
  return partitions.map(({ label, offset, size, type, subtype }) => ({
    ...{ label, offset, size },
    kind: type === TYPE_APP ? "app" : isKept(type, subtype, label) ? "kept" : "other",
  }));
}

/** What a board's flash says of itself: its partition table where a valid one lies, else undefined. `read` reads flash. */
export async function partitionsOnBoard(
  chip: Chip,
  regions: readonly Region[],
  read: (offset: number, size: number) => Promise<Uint8Array>,
): Promise<Partition[] | undefined> {
  const { partitionTable } = chip.layout;
  if (tableIn(regions, partitionTable)) return undefined; // it is about to be replaced
  try {
    return parsePartitionTable(await read(partitionTable.offset, TABLE_PART));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

export interface Cut {
  readonly regions: readonly Region[];
  /** Kept places that would only have been padded over. */
  readonly left: readonly Place[];
}

/**
 * Regions that run over several places, cut at them. A file may fill a kept place when it was meant for it (it begins there);
 * the FF padding of a merged image is left out there.
 *
 * @throws FlasherError `protected-region` when anything else would be written to a kept place
 */
export function cutAtPlaces(regions: readonly Region[], places: readonly Place[]): Cut {
  const left = new Set<Place>();
  const cut = regions.flatMap((region) =>
    piecesOf(region, places).filter((piece) => {
      const place = places.find((each) => each.kind === "kept" && holds(each, piece));
      if (!place || place.offset === region.offset) return true;
      if (!isBlank(piece.data)) throw protectedRegion(region, place);
      left.add(place);
      return false;
    }),
  );
  return { regions: cut, left: [...left] };
}

function piecesOf(region: Region, places: readonly Place[]): Region[] {
  const end = region.offset + region.data.length;
  const inside = (at: number) => at > region.offset && at < end && at % SECTOR_SIZE === 0;
  const bounds = places.flatMap(({ offset, size }) => [offset, offset + size]).filter(inside);
  if (bounds.length === 0) return [region];
  const edges = [...new Set([region.offset, ...bounds, end])].sort((a, b) => a - b);
  return edges.slice(0, -1).map((from, index) => {
    const piece = partOf(region, from - region.offset, edges[index + 1]! - region.offset);
    const label = places.find((place) => holds(place, piece))?.label;
    return label === undefined ? piece : { ...piece, name: `${region.name} (${label})` };
  });
}

function holds(place: Place, piece: Region): boolean {
  return piece.offset >= place.offset && piece.offset < place.offset + place.size;
}

function tableIn(
  regions: readonly Region[],
  { offset, size }: Layout["partitionTable"],
): Uint8Array | undefined {
  for (const region of regions) {
    const from = offset - region.offset;
    if (from < 0 || from >= region.data.length) continue;
    const table = region.data.subarray(from, from === 0 ? undefined : from + size);
    if (!isBlank(table)) return table;
  }
  return undefined;
}

function isKept(type: number, subtype: number, label: string): boolean {
  return type === TYPE_DATA && (subtype === SUBTYPE_NVS || subtype === SUBTYPE_OTADATA || label === "broome");
}

function layoutPlaces(layout: Layout): Place[] {
  const place = (label: "nvs" | "otadata" | "ota_0" | "ota_1" | "broome", kind: Place["kind"]) => ({
    ...{ label, kind },
    ...layout[label],
  });
  return [
    ...(["ota_0", "ota_1"] as const).map((label) => place(label, "app")),
    ...(["nvs", "otadata", "broome"] as const).map((label) => place(label, "kept")),
  ];
}

function protectedRegion(region: Region, place: Place): FlasherError {
  const end = region.offset + region.data.length;
  const range = `0x${region.offset.toString(16)} to 0x${end.toString(16)}`;
  const message = `${region.name} (${range}) would overwrite ${place.label} at 0x${place.offset.toString(16)}`;
  const help =
    "Flash the parts of a merged image one by one (OFFSET FILE ...), or add --erase to begin anew.";
  return new FlasherError("protected-region", message, help);
}
