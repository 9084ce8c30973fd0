// A thin, typed layer over libsql: statements are prepared once, rows are plain, blobs are Uint8Array either way.

import Database from "libsql";
import { HostError } from "../error.js";
import { migrations } from "./migrations.js";

type Value = string | number | Uint8Array | null;
type Row = Record<string, Value>;

/** Wait this long for another process's write transaction. */
const BUSY_TIMEOUT_MS = 5_000;

export class Sql {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  /** Opens the file, in WAL mode, every commit durable (synchronous = FULL), and brings its tables up to date. */
  constructor(path: string) {
    this.#db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    this.#migrate(path);
  }

  #migrate(path: string): void {
    this.transaction(() => {
      const version = this.get<{ user_version: number }>("PRAGMA user_version")!.user_version;
      if (version > migrations.length)
        throw new HostError(
          500,
          "database-too-new",
          `${path} has tables of version ${version}; this server knows up to ${migrations.length}`,
          "Start the newer server that wrote it.",
        );
      if (version === migrations.length) return;
      for (const step of migrations.slice(version)) this.#db.exec(step);
      this.#db.exec(`PRAGMA user_version = ${migrations.length}`);
    });
  }

  #prepare(text: string): Database.Statement {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  // Values always go as one array: libsql takes a single blob or null for named parameters, and aborts the process.

  /** libsql adds `_metadata` to single rows, and gives blobs as Buffer here and as ArrayBuffer there. */
  #plain<T>(row: unknown): T {
    const plain: Row = {};
    for (const [name, value] of Object.entries(row as Row))
      if (name !== "_metadata")
        plain[name] =
          (value as unknown) instanceof ArrayBuffer || Buffer.isBuffer(value)
            ? new Uint8Array(value as unknown as ArrayBuffer)
            : value;
    return plain as T;
  }

  get<T>(text: string, ...values: Value[]): T | undefined {
    const row = this.#prepare(text).get(values);
    return row === undefined ? undefined : this.#plain<T>(row);
  }

  all<T>(text: string, ...values: Value[]): T[] {
    return this.#prepare(text)
      .all(values)
      .map((row) => this.#plain<T>(row));
  }

  /** Returns the number of rows changed. */
  run(text: string, ...values: Value[]): number {
    return this.#prepare(text).run(values).changes;
  }

  /** Runs `work` with the write lock taken at the start; a throw rolls back. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Runs `work` inside the transaction that is open; a throw undoes only what it did. */
  savepoint<T>(work: () => T): T {
    this.#db.exec("SAVEPOINT one");
    try {
      const result = work();
      this.#db.exec("RELEASE one");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK TO one; RELEASE one");
      throw error;
    }
  }

  close(): void {
    if (!this.#db.open) return;
    this.#statements.clear();
    this.#db.close();
  }
}
