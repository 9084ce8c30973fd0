// What became of each row of a series: a CSV file that is only appended to, `mac,result,at,name`, and never holds a secret.

import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { BroomeError } from "../error.js";
import { holderText, tryLock } from "../process-lock.js";

const HEADER = ["mac", "result", "at", "name"];
const NO_HEADER = `its first line is not ${HEADER.join()}`;
const LF = 0x0a;

export interface Result {
  readonly mac: string;
  /** "ok", or the code of what went wrong. */
  readonly result: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly name: string;
}

/**
 * Takes the log for this process: two series at once would give the same row to two boards.
 *
 * @returns what gives it back; that of a series that was killed is taken over
 * @throws BroomeError `series-busy`, `file-unwritable`
 */
export function lockLog(path: string): () => void {
  const lock = orUnwritable(path, () => tryLock(`${path}.lock`));
  if (typeof lock === "function") return lock;
  throw new BroomeError(
    "series-busy",
    `${path} is the log of a series that runs (${holderText(lock)})`,
    "End that one first, or give this one a list and a --log of its own: a log gives a row to one board.",
  );
}

function orUnwritable<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const message = `${path}: ${(cause as Error).message}`;
    throw new BroomeError("file-unwritable", message, "Make room, or name another --log.", { cause });
  }
}

export class ResultsLog {
  private readonly path: string;
  private readonly finished = new Map<string, string>(); // MAC by name
  private readonly macs = new Set<string>();

  /**
   * Reads what is there, and makes the file where there is none: that it cannot be written is known before the first board is
   * touched. A last line without its end was cut off when the power went: it does not count and is removed.
   *
   * @throws BroomeError `series-invalid`, `file-unwritable`
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
    const row = [result.mac, result.result, result.at, result.name];
    this.withFile((file) => {
      writeFileSync(file, stringify(fstatSync(file).size === 0 ? [HEADER, row] : [row]));
      fsyncSync(file);
    });
    if (result.result === "ok") this.note(result.mac, result.name);
  }

  /** Opened to be read and appended to. */
  private withFile<T>(work: (file: number) => T): T {
    return orUnwritable(this.path, () => {
      const file = openSync(this.path, "a+", 0o600);
      try {
        return work(file);
      } finally {
        closeSync(file);
      }
    });
  }

  private note(mac: string, name: string): void {
    this.finished.set(name, mac);
    this.macs.add(mac);
  }

  private read(): Result[] {
    const bytes = this.withFile((file) => readFileSync(file));
    const end = bytes.lastIndexOf(LF) + 1;
    const rest = bytes.subarray(end);
    if (end === 0 && !HEADER.join().startsWith(rest.toString("latin1"))) throw this.invalid(NO_HEADER);
    const results = end === 0 ? [] : this.parse(bytes.subarray(0, end));
    if (rest.length > 0) this.withFile((file) => ftruncateSync(file, end));
    return results;
  }

  private parse(lines: Buffer): Result[] {
    let rows: string[][];
    try {
      rows = parse(lines, { bom: true });
    } catch (cause) {
      throw this.invalid((cause as { code?: string }).code ?? "no CSV"); // its own message quotes the file
    }
    const [header, ...body] = rows;
    if (header?.join() !== HEADER.join()) throw this.invalid(NO_HEADER);
    return body.map(([mac, result, at, name]) => ({ mac: mac!, result: result!, at: at!, name: name! }));
  }

  private invalid(why: string): BroomeError {
    const help = "Name a new file with --log, or mend this one.";
    return new BroomeError("series-invalid", `${this.path} is no log of a series: ${why}`, help);
  }
}
