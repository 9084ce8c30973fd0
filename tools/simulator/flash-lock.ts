// One board to a flash file.

import { BroomeError } from "../error.js";
import { holderText, tryLock } from "../process-lock.js";

/**
 * Takes the lock beside the flash file.
 *
 * @returns what gives it back; the lock of a process that was killed is taken over
 * @throws BroomeError `flash-busy`
 */
export function lockFlash(flashFile: string): () => void {
  const lock = tryLock(`${flashFile}.lock`);
  if (typeof lock === "function") return lock;
  throw new BroomeError(
    "flash-busy",
    `${flashFile} is the flash of a board that runs (${holderText(lock)})`,
    "End that board, or give this one another file with --flash.",
  );
}
