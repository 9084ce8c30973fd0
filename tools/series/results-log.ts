// What became of each row of a series: a CSV file that is only appended to, `mac,result,at,name`, and never holds a secret.

import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { BroomeError } from "../error.js";

const HEADER = ["mac", "result", "at", "name"];

export interface Result {
  readonly mac: string;
  /** "ok", or the code of what went wrong. */
  readonly result: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly name: string;
}

export class ResultsLog {
  private readonly path: string;
  private readonly finished = new Map<string, string>(); // MAC by name
  private readonly macs = new Set<string>();

  /**
   * Reads what is there. A last line without its end was cut off when the power went: it does not count and is removed.
   *
   * @throws BroomeError `series-invalid`, `file-unreadable`
   */
  constructor(path: string) {
    this.path = path;
    for (const { mac, result, name } of this.read()) if (result === "ok") this.note(mac, name);
  }

  /** The MAC of the board that has this row, if one has. */
  macOf(name: string): string | undefined {
    return this.finished.get(name);
  }

  /** Does a finished row belong to this board? */
  hasBoard(mac: string): boolean {
    return this.macs.has(mac);
  }

  /** On disk when it returns. @throws BroomeError `file-unwritable` */
  append(result: Result): void {
    const isNew = !existsSync(this.path);
    const row = [result.mac, result.result, result.at, result.name];
    const lines = stringify(isNew ? [HEADER, row] : [row]);
    try {
      const file = openSync(this.path, "a", 0o600);
      try {
        writeSync(file, lines);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      const message = `${this.path}: ${(cause as Error).message}`;
      throw new BroomeError("file-unwritable", message, "Make room, or name another --log.", { cause });
    }
    if (result.result === "ok") this.note(result.mac, result.name);
  }

  private note(mac: string, name: string): void {
    this.finished.set(name, mac);
    this.macs.add(mac);
  }

  private read(): Result[] {
    if (!existsSync(this.path)) return [];
    const bytes = readFileSync(this.path);
    const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a) + 1);
    if (whole.length < bytes.length) truncateSync(this.path, whole.length);
    if (whole.length === 0) return [];
    let rows: string[][];
    try {
      rows = parse(whole);
    } catch (cause) {
      throw this.invalid((cause as Error).message);
    }
    const [header, ...body] = rows;
    if (header?.join() !== HEADER.join()) throw this.invalid(`its first line is not ${HEADER.join()}`);
    return body.map(([mac, result, at, name]) => ({ mac: mac!, result: result!, at: at!, name: name! }));
  }

  private invalid(why: string): BroomeError {
    const help = "Name a new file with --log, or mend this one.";
    return new BroomeError("series-invalid", `${this.path} is no log of a series: ${why}`, help);
  }
}
