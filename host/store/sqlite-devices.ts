// Devices, identities and what their owner sets, in SQLite.

import type { Sql } from "./sql.js";
import type { Device, DeviceEdit, DeviceState, Identity, NewDevice, Offer } from "./store.js";

interface Row {
  [column: string]: unknown;
  tags: string;
  data: string;
  ota: string | null;
  offer: string | null;
  status: string;
  properties: string;
  cfgsn_applied: number;
  replaced_by: string | null;
}

/** Columns of the API, in its order; the rest of the table is the store's own. */
const COLUMNS = `deviceid, name, lastseen, ssid, ipaddr, cfgsn, flags, data, datec, state, mac, chip, product, layout,
  version, rssi, tags, location, notes, cfgsn_applied, ota, status, properties, offer, code, claims, replaced_by`;

function deviceOf(row: Row): Device {
  const { tags, data, ota, offer, status, properties, cfgsn_applied, replaced_by, ...same } = row;
  return {
    ...(same as unknown as Device),
    data: JSON.parse(data) as Record<string, unknown>,
    tags: JSON.parse(tags) as string[],
    cfgsnApplied: cfgsn_applied,
    ota: ota === null ? null : (JSON.parse(ota) as Record<string, unknown>),
    status: JSON.parse(status) as Record<string, unknown>,
    properties: JSON.parse(properties) as Record<string, unknown>,
    offer: offer === null ? null : (JSON.parse(offer) as Offer),
    replacedBy: replaced_by,
  };
}

export function getDevice(sql: Sql, id: string): Device | undefined {
  const row = sql.get<Row>(`SELECT ${COLUMNS} FROM devices WHERE deviceid = ?`, id);
  return row && deviceOf(row);
}

export function listDevices(sql: Sql, state: DeviceState | undefined): Device[] {
  const rows =
    state === undefined
      ? sql.all<Row>(`SELECT ${COLUMNS} FROM devices ORDER BY datec, deviceid`)
      : sql.all<Row>(`SELECT ${COLUMNS} FROM devices WHERE state = ? ORDER BY datec, deviceid`, state);
  return rows.map(deviceOf);
}

export function findApprovedByMac(sql: Sql, mac: string): Device | undefined {
  const row = sql.get<Row>(
    `SELECT ${COLUMNS} FROM devices WHERE mac = ? AND state = 'approved' ORDER BY lastseen DESC LIMIT 1`,
    mac,
  );
  return row && deviceOf(row);
}

/** To be called inside a transaction. */
export function insertDevice(sql: Sql, device: NewDevice, identity: Identity): Device {
  sql.run(
    `INSERT INTO devices (deviceid, name, datec, state, mac, chip, product, version, rssi, code, claims)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    device.deviceid,
    device.name,
    device.datec,
    device.state,
    device.mac ?? "",
    device.chip ?? "",
    device.product ?? "",
    device.version ?? "",
    device.rssi ?? null,
    device.code ?? null,
    device.claims ?? null,
  );
  sql.run(
    "INSERT INTO identities (deviceid, g, wrapped_key) VALUES (?, ?, ?)",
    identity.deviceid,
    identity.g,
    identity.wrappedKey,
  );
  return getDevice(sql, device.deviceid)!;
}

export function editDevice(sql: Sql, id: string, edit: DeviceEdit): Device | undefined {
  return sql.transaction(() => {
    const before = getDevice(sql, id);
    if (!before) return undefined;
    const after = { ...before, ...edit };
    sql.run(
      "UPDATE devices SET name = ?, tags = ?, location = ?, notes = ?, flags = ? WHERE deviceid = ?",
      after.name,
      JSON.stringify(after.tags),
      after.location,
      after.notes,
      after.flags,
      id,
    );
    return after;
  });
}

export function moveDevice(sql: Sql, id: string, from: DeviceState[], to: DeviceState): Device | undefined {
  return sql.transaction(() => {
    const device = getDevice(sql, id);
    if (!device || !from.includes(device.state)) return undefined;
    sql.run("UPDATE devices SET state = ?, code = NULL WHERE deviceid = ?", to, id);
    return getDevice(sql, id);
  });
}

/** The claimed device's settings move to the new one; its readings stay where they were measured. */
function takePlace(sql: Sql, id: string, old: string): void {
  sql.run(
    `UPDATE devices SET (name, tags, location, notes, flags, config, cfgsn) =
       (SELECT name, tags, location, notes, flags, config, cfgsn FROM devices WHERE deviceid = ?)
     WHERE deviceid = ?`,
    old,
    id,
  );
  sql.run("UPDATE tokens SET deviceid = ? WHERE deviceid = ?", id, old);
  sql.run(
    "UPDATE devices SET state = 'replaced', replaced_by = ?, offer = NULL WHERE deviceid = ? AND state = 'approved'",
    id,
    old,
  );
}

export function approveDevice(sql: Sql, id: string, name: string | undefined): Device | undefined {
  return sql.transaction(() => {
    const device = getDevice(sql, id);
    if (device?.state !== "pending") return undefined;
    if (device.claims !== null) takePlace(sql, id, device.claims);
    sql.run("UPDATE devices SET state = 'approved', code = NULL, claims = NULL WHERE deviceid = ?", id);
    if (name !== undefined) sql.run("UPDATE devices SET name = ? WHERE deviceid = ?", name, id);
    return getDevice(sql, id);
  });
}

export function countWrongCode(sql: Sql, id: string): number {
  const row = sql.get<{ code_tries: number }>(
    "UPDATE devices SET code_tries = code_tries + 1 WHERE deviceid = ? RETURNING code_tries",
    id,
  );
  return row?.code_tries ?? 0;
}

export function removePendingBefore(sql: Sql, time: number): string[] {
  return sql
    .all<{ deviceid: string }>(
      "DELETE FROM devices WHERE state = 'pending' AND datec < ? RETURNING deviceid",
      time,
    )
    .map(({ deviceid }) => deviceid);
}

export function setConfig(sql: Sql, id: string, values: Record<string, unknown>): number {
  return sql.get<{ cfgsn: number }>(
    "UPDATE devices SET config = ?, cfgsn = cfgsn + 1 WHERE deviceid = ? RETURNING cfgsn",
    JSON.stringify(values),
    id,
  )!.cfgsn;
}

export function getConfig(sql: Sql, id: string) {
  const row = sql.get<{ config: string; cfgsn: number; cfgsn_applied: number }>(
    "SELECT config, cfgsn, cfgsn_applied FROM devices WHERE deviceid = ?",
    id,
  );
  return (
    row && {
      sn: row.cfgsn,
      applied: row.cfgsn_applied,
      values: JSON.parse(row.config) as Record<string, unknown>,
    }
  );
}
