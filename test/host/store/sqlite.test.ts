// The SQLite store against the store's contract, and what is SQLite's own: migrations and durability settings.

import test from "ava";
import Database from "libsql";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../../host/store/sqlite.js";
import { storeContract } from "../../contract/store.js";

const folder = mkdtempSync(join(tmpdir(), "broome-store-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

storeContract(test, (name) => openSqliteStore(join(folder, `${name}.db`)));

test("a database of a newer server is refused and left as it is", (t) => {
  const path = join(folder, "newer.db");
  const db = new Database(path);
  db.exec("PRAGMA user_version = 999");
  db.close();
  t.throws(() => openSqliteStore(path), { code: "database-too-new" });
  const again = new Database(path);
  t.deepEqual(again.prepare("SELECT name FROM sqlite_master").all(), []);
  again.close();
});

test("the journal is a write-ahead log", async (t) => {
  const path = join(folder, "wal.db");
  await openSqliteStore(path).close();
  const db = new Database(path);
  t.like(db.prepare("PRAGMA journal_mode").get(), { journal_mode: "wal" });
  db.close();
});
