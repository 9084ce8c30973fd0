// The store on SQLite (libsql): one file, WAL, prepared statements, every change one durable transaction.

import { GroupCommit } from "./group-commit.js";
import { Sql } from "./sql.js";
import * as devices from "./sqlite-devices.js";
import * as joins from "./sqlite-joins.js";
import * as pins from "./sqlite-pins.js";
import * as releases from "./sqlite-releases.js";
import { sync } from "./sqlite-sync.js";
import type { Boot, Reading, Scope, Store, Token } from "./store.js";

type TokenRow = Omit<Token, "scopes"> & { scopes: string };

function tokenOf(row: TokenRow): Token {
  return { ...row, scopes: row.scopes.split(" ") as Scope[] };
}

const TOKEN_COLUMNS = "tokenid, deviceid, scopes, label, created";

/** Opens (and makes) the database at `path`. Throws HostError `database-too-new`. */
export function openSqliteStore(path: string): Store {
  const sql = new Sql(path);
  const group = new GroupCommit(sql);
  return {
    async getSetting(name) {
      return sql.get<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)?.value;
    },
    async setSetting(name, value) {
      sql.run(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value,
      );
    },

    listDevices: async (state) => devices.listDevices(sql, state),
    getDevice: async (id) => devices.getDevice(sql, id),
    findApprovedByMac: async (mac) => devices.findApprovedByMac(sql, mac),
    addDevice: async (device, identity) => sql.transaction(() => devices.insertDevice(sql, device, identity)),
    editDevice: async (id, edit) => devices.editDevice(sql, id, edit),
    moveDevice: async (id, from, to) => devices.moveDevice(sql, id, from, to),
    approveDevice: async (id, name) => devices.approveDevice(sql, id, name),
    countWrongCode: async (id) => devices.countWrongCode(sql, id),
    removePendingBefore: async (time) => devices.removePendingBefore(sql, time),
    async setOffer(id, offer) {
      sql.run("UPDATE devices SET offer = ? WHERE deviceid = ?", offer && JSON.stringify(offer), id);
    },
    setConfig: async (id, values) => devices.setConfig(sql, id, values),
    getConfig: async (id) => devices.getConfig(sql, id),

    async getIdentity(id, g) {
      const row = sql.get<{ wrapped_key: Uint8Array }>(
        "SELECT wrapped_key FROM identities WHERE deviceid = ? AND g = ?",
        id,
        g,
      );
      return row && { deviceid: id, g, wrappedKey: row.wrapped_key };
    },
    sync: (input) => group.run(() => sync(sql, input)),
    async listReadings(id, limit, name) {
      const columns = "boot, key, uptime, at, name, value";
      const rows =
        name === undefined
          ? sql.all<Reading & { value: string }>(
              `SELECT ${columns} FROM readings WHERE deviceid = ? ORDER BY boot DESC, key DESC LIMIT ?`,
              id,
              limit,
            )
          : sql.all<Reading & { value: string }>(
              `SELECT ${columns} FROM readings WHERE deviceid = ? AND name = ? ORDER BY boot DESC, key DESC LIMIT ?`,
              id,
              name,
              limit,
            );
      return rows.map((row) => ({ ...row, value: JSON.parse(row.value) as unknown }));
    },
    async listBoots(id, limit) {
      return sql
        .all<Omit<Boot, "entry"> & { entry: string }>(
          "SELECT boot, at, entry FROM boots WHERE deviceid = ? ORDER BY boot DESC LIMIT ?",
          id,
          limit,
        )
        .map((row) => ({ ...row, entry: JSON.parse(row.entry) as Record<string, unknown> }));
    },

    setPins: async (id, values, at) => pins.setPins(sql, id, values, at),
    desiredPinsAbove: async (id, revision) => pins.desiredPinsAbove(sql, id, revision),
    getPin: async (id, pin) => pins.getPin(sql, id, pin),
    listPins: async (id) => pins.listPins(sql, id),

    async addToken(token, hash) {
      sql.run(
        `INSERT INTO tokens (hash, ${TOKEN_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`,
        hash,
        token.tokenid,
        token.deviceid,
        token.scopes.join(" "),
        token.label,
        token.created,
      );
    },
    async findToken(hash) {
      const row = sql.get<TokenRow>(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE hash = ?`, hash);
      return row && tokenOf(row);
    },
    async listTokens(id) {
      return sql
        .all<TokenRow>(`SELECT ${TOKEN_COLUMNS} FROM tokens WHERE deviceid = ? ORDER BY created, tokenid`, id)
        .map(tokenOf);
    },
    async removeToken(id, tokenid) {
      return sql.run("DELETE FROM tokens WHERE deviceid = ? AND tokenid = ?", id, tokenid) > 0;
    },

    async addSession(hash, expires, now) {
      sql.run("DELETE FROM sessions WHERE expires <= ?", now);
      sql.run("INSERT INTO sessions VALUES (?, ?)", hash, expires);
    },
    async hasSession(hash, now) {
      return sql.get("SELECT 1 AS one FROM sessions WHERE hash = ? AND expires > ?", hash, now) !== undefined;
    },
    async removeSession(hash) {
      sql.run("DELETE FROM sessions WHERE hash = ?", hash);
    },

    addJoinKey: async (key) => joins.addJoinKey(sql, key),
    getJoinKey: async (kid) => joins.getJoinKey(sql, kid),
    listJoinKeys: async () => joins.listJoinKeys(sql),
    async revokeJoinKey(kid) {
      return sql.run("UPDATE join_keys SET revoked = 1 WHERE kid = ?", kid) === 1;
    },
    findJoin: async (m1) => joins.findJoin(sql, m1),
    getJoin: async (id) => joins.getJoin(sql, id),
    joinRoom: async (kid, at, limits) => joins.joinRoom(sql, kid, at, limits),
    addJoin: async (join, limits) => joins.addJoin(sql, join, limits),
    confirmJoin: async (id, code, now) => joins.confirmJoin(sql, id, code, now),
    removeJoinsBefore: async (time) => sql.run("DELETE FROM joins WHERE at < ?", time),

    addRelease: async (release) => releases.addRelease(sql, release),
    getRelease: async (manifest) => releases.getRelease(sql, manifest),
    listReleases: async () => releases.listReleases(sql),
    withdrawRelease: async (manifest) => releases.withdrawRelease(sql, manifest),

    async ready() {
      return sql.get<{ one: number }>("SELECT 1 AS one")?.one === 1;
    },
    async close() {
      group.flush();
      sql.close();
    },
  };
}
