// Group commit: what arrives while the event loop turns is written in one transaction, and so with one flush to the disk.

import type { Sql } from "./sql.js";

/** Longest group: bounds how long the loop stands still. */
const MAX_GROUP = 64;

export class GroupCommit {
  readonly #sql: Sql;
  #waiting: { work: () => void; settle: () => void; fail: (error: unknown) => void }[] = [];
  #scheduled = false;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Runs `work` inside a transaction, and resolves to its result when that is durable. A throw undoes this `work` alone; a
   * commit that fails rejects the whole group.
   */
  run<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let result: T;
      this.#waiting.push({
        work: () => (result = this.#sql.savepoint(work)),
        settle: () => resolve(result),
        fail: reject,
      });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#commit();
      this.#schedule();
    });
  }

  #commit(): void {
    const group = this.#waiting.splice(0, MAX_GROUP);
    const done: typeof group = [];
    try {
      this.#sql.transaction(() => {
        for (const item of group) {
          try {
            item.work();
            done.push(item);
          } catch (error) {
            item.fail(error);
          }
        }
      });
      for (const { settle } of done) settle();
    } catch (error) {
      for (const { fail } of group) fail(error); // who failed by himself has his answer already
    }
  }

  /** Writes what waits; to be called before the database closes. */
  flush(): void {
    while (this.#waiting.length > 0) this.#commit();
  }
}
