// Join keys, and handshakes that wait for their first sync, in SQLite.

import { findApprovedByMac, insertDevice } from "./sqlite-devices.js";
import type { Sql } from "./sql.js";
import type { Device, Join, JoinKey, JoinLimits, JoinRoom } from "./store.js";

/** An unconfirmed join counts and can be confirmed this long (PROTOCOL, 2). */
export const UNCONFIRMED_MS = 10 * 60_000;

const MINUTE_MS = 60_000;

interface KeyRow extends Omit<JoinKey, "wrappedSecret" | "revoked"> {
  wrapped_secret: Uint8Array;
  revoked: number;
}

function keyOf({ wrapped_secret, revoked, ...same }: KeyRow): JoinKey {
  return { ...same, wrappedSecret: wrapped_secret, revoked: revoked === 1 };
}

interface JoinRow extends Omit<Join, "wrappedKey"> {
  wrapped_key: Uint8Array;
  confirmed: number;
}

function joinOf({ wrapped_key, confirmed: _, ...same }: JoinRow): Join {
  return { ...same, wrappedKey: wrapped_key };
}

export function addJoinKey(sql: Sql, key: JoinKey): void {
  sql.run(
    "INSERT INTO join_keys (kid, wrapped_secret, label, created, expires, uses) VALUES (?, ?, ?, ?, ?, ?)",
    key.kid,
    key.wrappedSecret,
    key.label,
    key.created,
    key.expires,
    key.uses,
  );
}

export function getJoinKey(sql: Sql, kid: string): JoinKey | undefined {
  const row = sql.get<KeyRow>("SELECT * FROM join_keys WHERE kid = ?", kid);
  return row && keyOf(row);
}

export function listJoinKeys(sql: Sql): JoinKey[] {
  return sql.all<KeyRow>("SELECT * FROM join_keys ORDER BY created, kid").map(keyOf);
}

export function findJoin(sql: Sql, m1: Uint8Array): Join | undefined {
  const row = sql.get<JoinRow>("SELECT * FROM joins WHERE m1 = ?", m1);
  return row && joinOf(row);
}

export function getJoin(sql: Sql, id: string): Join | undefined {
  const row = sql.get<JoinRow>("SELECT * FROM joins WHERE deviceid = ? AND confirmed = 0", id);
  return row && joinOf(row);
}

function count(sql: Sql, where: string, ...values: (string | number)[]): number {
  return sql.get<{ n: number }>(`SELECT count(*) AS n FROM joins WHERE ${where}`, ...values)!.n;
}

/** Not confirmed yet and not too old; or confirmed, and its owner has not decided. */
const WAITING = `(confirmed = 0 AND at > ?
  OR confirmed = 1 AND EXISTS (SELECT 1 FROM devices d WHERE d.deviceid = joins.deviceid AND d.state = 'pending'))`;

export function joinRoom(sql: Sql, kid: string, at: number, limits: JoinLimits): JoinRoom {
  if (count(sql, "kid = ? AND at > ?", kid, at - MINUTE_MS) >= limits.perMinuteAndKey) return "too-fast";
  const since = at - UNCONFIRMED_MS;
  if (count(sql, `kid = ? AND ${WAITING}`, kid, since) >= limits.perKey) return "too-many";
  return count(sql, WAITING, since) >= limits.total ? "too-many" : "free";
}

export function addJoin(sql: Sql, join: Join, limits: JoinLimits): JoinRoom | "known" {
  return sql.transaction(() => {
    if (findJoin(sql, join.m1)) return "known";
    const room = joinRoom(sql, join.kid, join.at, limits);
    if (room !== "free") return room;
    sql.run(
      `INSERT INTO joins (deviceid, g, kid, m1, m2, h, commitment, wrapped_key, mac, chip, product, version, rssi, name, at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      join.deviceid,
      join.g,
      join.kid,
      join.m1,
      join.m2,
      join.h,
      join.commitment,
      join.wrappedKey,
      join.mac,
      join.chip,
      join.product,
      join.version,
      join.rssi,
      join.name,
      join.at,
    );
    return "free";
  });
}

export function confirmJoin(sql: Sql, id: string, code: string, now: number): Device | undefined {
  return sql.transaction(() => {
    const join = getJoin(sql, id);
    if (!join || join.at <= now - UNCONFIRMED_MS) return undefined;
    const counted = sql.run(
      `UPDATE join_keys SET used = used + 1 WHERE kid = ? AND revoked = 0
         AND (uses IS NULL OR used < uses) AND (expires IS NULL OR expires > ?)`,
      join.kid,
      now,
    );
    if (counted === 0) return undefined;
    sql.run("UPDATE joins SET confirmed = 1, wrapped_key = x'' WHERE deviceid = ?", id);
    return insertDevice(
      sql,
      {
        ...join,
        datec: now,
        state: "pending",
        code,
        claims: findApprovedByMac(sql, join.mac)?.deviceid ?? null,
      },
      { deviceid: id, g: join.g, wrappedKey: join.wrappedKey },
    );
  });
}
