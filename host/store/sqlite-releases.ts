// Releases in SQLite: the facts of their manifests. The files lie beside the database (host/files.ts).

import type { Sql } from "./sql.js";
import type { Release } from "./store.js";

type Row = Omit<Release, "withdrawn"> & { withdrawn: number };

function releaseOf(row: Row): Release {
  return { ...row, withdrawn: row.withdrawn === 1 };
}

/** The same version may be published again after a withdrawal; the same manifest comes back then. */
export function addRelease(sql: Sql, release: Release): boolean {
  return (
    sql.run(
      `INSERT INTO releases (manifest, version, product, chip, layout, sc, min, size, sha256, list, kid, created)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (product, chip, layout, version) WHERE withdrawn = 0 DO NOTHING
       ON CONFLICT (manifest) DO UPDATE SET withdrawn = 0, created = excluded.created WHERE withdrawn = 1`,
      release.manifest,
      release.version,
      release.product,
      release.chip,
      release.layout,
      release.sc,
      release.min,
      release.size,
      release.sha256,
      release.list,
      release.kid,
      release.created,
    ) === 1
  );
}

export function getRelease(sql: Sql, manifest: string): Release | undefined {
  const row = sql.get<Row>("SELECT * FROM releases WHERE manifest = ?", manifest);
  return row && releaseOf(row);
}

export function listReleases(sql: Sql): Release[] {
  return sql.all<Row>("SELECT * FROM releases ORDER BY created, manifest").map(releaseOf);
}

export function withdrawRelease(sql: Sql, manifest: string): string[] | undefined {
  return sql.transaction(() => {
    if (sql.run("UPDATE releases SET withdrawn = 1 WHERE manifest = ? AND withdrawn = 0", manifest) === 0)
      return undefined;
    return sql
      .all<{ deviceid: string }>(
        "UPDATE devices SET offer = NULL WHERE offer ->> 'manifest' = ? RETURNING deviceid",
        manifest,
      )
      .map(({ deviceid }) => deviceid);
  });
}
