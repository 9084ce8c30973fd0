// What a bootloader answers to a command that it refuses: the ROM's numbers, or the stub's (esptool's documentation).

import {
  checksum,
  CommandError,
  decodeBlock,
  opName,
  Reason,
  StubReason,
  type Block,
  type Request,
} from "../esptool/command.js";
import { Refusal } from "./download.js";
import { FlashError } from "./flash.js";

export function unknown(op: number): Refusal {
  return new Refusal(Reason.INVALID_MESSAGE, `${opName(op)} is not known here`);
}

/** @throws Refusal where its checksum is wrong; CommandError */
export function goodBlock(request: Request): Block {
  const block = decodeBlock(request.data);
  if (request.checksum !== checksum(block.payload)) throw new Refusal(Reason.CHECKSUM, "line noise");
  return block;
}

/** What a failed command answers. What is no refusal (a power cut, a mistake of ours) goes on up. */
export function reasonOf(error: unknown): number {
  if (error instanceof Refusal) return error.reason;
  if (error instanceof CommandError) return Reason.INVALID_MESSAGE;
  if (error instanceof FlashError) return Reason.FLASH_WRITE;
  throw error;
}

/** The stub's numbers for refusals that ROM and stub have in common. */
const stubReasons: Readonly<Record<number, number>> = {
  [Reason.INVALID_MESSAGE]: StubReason.UNKNOWN,
  [Reason.CHECKSUM]: StubReason.CHECKSUM,
  [Reason.INVALID_PARAMETER]: StubReason.INVALID,
  [Reason.FLASH_READ]: StubReason.FLASH,
  [Reason.FLASH_READ_LENGTH]: StubReason.FLASH,
  [Reason.RAM_SIZE]: StubReason.INVALID,
  [Reason.RAM_ADDRESS]: StubReason.INVALID,
  [Reason.FAILED]: StubReason.INVALID,
};

export function stubReasonOf(error: unknown): number {
  if (error instanceof CommandError) return StubReason.DATA_LENGTH;
  const reason = reasonOf(error);
  return stubReasons[reason] ?? reason;
}
