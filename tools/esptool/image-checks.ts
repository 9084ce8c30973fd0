// What must not go onto a board: images of another chip, damaged ones, virtual on real, files that run over other partitions.

import { parseAppDescriptor } from "../../firmware/format/app-descriptor.js";
import { FormatError } from "../../firmware/format/error.js";
import type { Sha256 } from "../../firmware/format/hash.js";
import { parseImage, reader, verifyImage, type ImageInfo } from "../../firmware/format/image.js";
import { FlasherError } from "./error.js";
import { isBlank, type Region } from "./regions.js";
import type { Board } from "./session.js";
import { isVirtual, macText } from "./identity.js";
import { cutAtPlaces, placesOf, type Cut, type Place } from "./places.js";

/** Project name of images that hold bytecode for a virtual board (DESIGN.md, decision 4). */
const VIRTUAL_PROJECT = "broome-virtual";
const IMAGE_MAGICS: readonly (number | undefined)[] = [0xe9, 0xea];

/** Images among the regions, checked as the bootloader would. @throws FormatError `image-truncated`, `image-corrupt`, `image-encrypted` */
export function checkImages(regions: readonly Region[], sha256: Sha256): void {
  for (const { data, name } of regions) {
    if (!looksLikeImage(data)) continue;
    try {
      verifyImage(reader(data), data.length, sha256);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new FormatError(error.code, `${name}: ${error.message}`, error.help);
    }
  }
}

/**
 * Regions against the board that was found, before anything is written: what of them is to be written.
 *
 * @throws FlasherError `chip-mismatch`, `image-virtual`, `image-corrupt`, `app-too-big`, `protected-region`
 */
export function checkBoard(board: Board, regions: readonly Region[], erase: boolean): Cut {
  const places = placesOf(board.identity.chip, regions, board.partitions);
  for (const region of regions) checkImage(board, region, places);
  const kept = erase ? places.map((place) => ({ ...place, kind: asOther(place) })) : places;
  const cut = cutAtPlaces(regions, kept);
  for (const piece of cut.regions) if (!regions.includes(piece)) checkImage(board, piece, places);
  return cut;
}

/**
 * What is written as it is although an image would be expected there: no image, no partition table, not blank (nor a merged file
 * that begins so), and not at the beginning of a partition for data.
 */
export function unlikely({ identity, partitions }: Board, regions: readonly Region[]): Region[] {
  const places = placesOf(identity.chip, regions, partitions);
  return regions.filter(({ offset, data }) => {
    if (looksLikeImage(data) || data[0] === 0xff || data.length === 0) return false;
    if (offset === identity.chip.layout.partitionTable.offset) return false;
    return !places.some((place) => place.kind !== "app" && place.offset === offset);
  });
}

function checkImage(board: Board, region: Region, places: readonly Place[]): void {
  if (looksLikeImage(region.data)) checkChip(board, region);
  const slot = places.find(({ kind, offset }) => kind === "app" && offset === region.offset);
  if (slot) checkApp(board, region, slot);
}

/** After an erase nothing is left that could be kept. */
function asOther({ kind }: Place): Place["kind"] {
  return kind === "kept" ? "other" : kind;
}

function checkChip(board: Board, region: Region): void {
  const { identity } = board;
  const image = imageOf(region);
  const { chipId, minRevision } = image;
  if (chipId !== identity.chip.image.chipId) {
    const forWhom = chipId === undefined ? "an ESP8266" : `chip id ${chipId}`;
    const own = identity.chip.image.chipId ?? "images without an id";
    const message = `${region.name} is for ${forWhom}, the board is an ${identity.chip.family} (${own})`;
    throw new FlasherError("chip-mismatch", message, `Build it with --chip ${identity.chip.name}.`);
  }
  if (minRevision > identity.revision) {
    const message = `${region.name} needs chip revision ${version(minRevision)}, the board has ${version(identity.revision)}`;
    throw new FlasherError("chip-mismatch", message, "Build it for this revision, or use a newer board.");
  }
}

function checkApp(board: Board, region: Region, slot: Place): void {
  if (isBlank(region.data)) return; // a blank slot
  if (!looksLikeImage(region.data)) {
    const message = `${region.name} goes to ${slot.label} but is no app image`;
    throw new FlasherError("image-corrupt", message, "Check that file and offset belong together.");
  }
  const { size } = imageOf(region);
  if (size > slot.size) {
    const message = `${region.name} is ${size} bytes, ${slot.label} holds ${slot.size}`;
    throw new FlasherError("app-too-big", message, "Make the app smaller, or the slot larger.");
  }
  const { mac } = board.identity;
  const virtual = projectOf(region.data) === VIRTUAL_PROJECT;
  if (virtual === isVirtual(mac)) return;
  const [what, which, help] = virtual
    ? ["is for a virtual board", "a real one", "Build for the board with the SDK: --sdk."]
    : ["is for a real board", "a virtual one", "Build it without --sdk to run it on a virtual board."];
  const message = `${region.name} ${what}, ${macText(mac)} is ${which}`;
  throw new FlasherError("image-virtual", message, help);
}

function looksLikeImage(data: Uint8Array): boolean {
  return IMAGE_MAGICS.includes(data[0]);
}

function imageOf(region: Region): ImageInfo {
  return parseImage(reader(region.data), region.data.length);
}

/** Undefined where there is no descriptor. */
function projectOf(image: Uint8Array): string | undefined {
  try {
    const [first] = parseImage(reader(image), image.length).segments;
    return parseAppDescriptor(image.subarray(first!.fileOffset)).project;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function version(revision: number): string {
  return `v${Math.floor(revision / 100)}.${revision % 100}`;
}
