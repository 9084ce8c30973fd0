// Virtual pins in SQLite: what the owner wants, with revisions, and what the device reports.

import type { Sql } from "./sql.js";
import type { PinValue } from "./store.js";

interface Row {
  pin: number;
  value: string;
  at: number;
  revision: number;
}

/** Values are kept as JSON text: libsql cuts a string at its first zero byte. */
function pinOf({ pin, value, at, revision }: Row): PinValue {
  return { pin, value: JSON.parse(value) as string, at, revision };
}

export function setPins(
  sql: Sql,
  id: string,
  pins: { pin: number; value: string }[],
  at: number,
): PinValue[] {
  return sql.transaction(() =>
    pins.map(({ pin, value }) => {
      const { pin_revision: revision } = sql.get<{ pin_revision: number }>(
        "UPDATE devices SET pin_revision = pin_revision + 1 WHERE deviceid = ? RETURNING pin_revision",
        id,
      )!;
      sql.run(
        `INSERT INTO desired_pins (deviceid, pin, value, at, revision) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (deviceid, pin) DO UPDATE SET value = excluded.value, at = excluded.at, revision = excluded.revision`,
        id,
        pin,
        JSON.stringify(value),
        at,
        revision,
      );
      return { pin, value, at, revision };
    }),
  );
}

export function desiredPinsAbove(sql: Sql, id: string, revision: number): PinValue[] {
  return sql
    .all<Row>(
      "SELECT pin, value, at, revision FROM desired_pins WHERE deviceid = ? AND revision > ? ORDER BY revision",
      id,
      revision,
    )
    .map(pinOf);
}

function desired(sql: Sql, id: string): PinValue[] {
  return desiredPinsAbove(sql, id, 0);
}

function reported(sql: Sql, id: string): PinValue[] {
  return sql
    .all<Row>("SELECT pin, value, at, 0 AS revision FROM reported_pins WHERE deviceid = ? ORDER BY pin", id)
    .map(pinOf);
}

export function getPin(sql: Sql, id: string, pin: number): PinValue | undefined {
  const row = sql.get<Row>(
    `SELECT pin, value, at, revision FROM desired_pins WHERE deviceid = ? AND pin = ?
     UNION ALL SELECT pin, value, at, 0 FROM reported_pins WHERE deviceid = ? AND pin = ?
     ORDER BY at DESC, revision LIMIT 1`,
    id,
    pin,
    id,
    pin,
  );
  return row && pinOf(row);
}

export function listPins(sql: Sql, id: string) {
  const wanted = new Map(desired(sql, id).map((value) => [value.pin, value]));
  const seen = new Map(reported(sql, id).map((value) => [value.pin, value]));
  return [...new Set([...wanted.keys(), ...seen.keys()])]
    .sort((a, b) => a - b)
    .map((pin) => ({ pin, desired: wanted.get(pin) ?? null, reported: seen.get(pin) ?? null }));
}
