// One process at a time builds the engine: the others wait.

import { setTimeout as sleep } from "node:timers/promises";
import { tryLock } from "../process-lock.js";

const RETRY_MS = 100;

/** Runs `work` while this process holds the lock at `path`. The lock of a process that died is taken over. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let lock = tryLock(path);
  while (typeof lock !== "function") {
    await sleep(RETRY_MS);
    lock = tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock();
  }
}
