// One verified request into the database, all or nothing: freshness, records, pins, ledger, watermark (PROTOCOL, 1).

import { getDevice } from "./sqlite-devices.js";
import type { Sql } from "./sql.js";
import type { SyncInput, SyncOutcome } from "./store.js";

interface Freshness {
  boot: number;
  sequence: number;
  tag: Uint8Array | null;
}

interface Marks {
  watermark_boot: number | null;
  watermark_key: number | null;
  ledger_boot: number | null;
}

type Position = [boot: number, key: number];

function isAbove(a: Position, b: Position | undefined): boolean {
  return b === undefined || a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

function isSame(a: Uint8Array | null, b: Uint8Array): boolean {
  return a !== null && Buffer.compare(a, b) === 0;
}

/** Stores what lies above the watermark; returns the new watermark and the number stored. */
function storeReadings(
  sql: Sql,
  input: SyncInput,
  start: Position | undefined,
): [Position | undefined, number] {
  let watermark = start;
  let stored = 0;
  for (const { boot, key, uptime, at, name, value } of input.readings) {
    if (!isAbove([boot, key], watermark)) continue;
    sql.run(
      "INSERT INTO readings (deviceid, boot, key, uptime, at, name, value) VALUES (?, ?, ?, ?, ?, ?, ?)",
      input.deviceid,
      boot,
      key,
      uptime,
      at,
      name,
      JSON.stringify(value),
    );
    watermark = [boot, key];
    stored += 1;
  }
  return [watermark, stored];
}

function storePins(sql: Sql, input: SyncInput): void {
  for (const { pin, value } of input.pins)
    sql.run(
      `INSERT INTO reported_pins (deviceid, pin, value, at) VALUES (?, ?, ?, ?)
       ON CONFLICT (deviceid, pin) DO UPDATE SET value = excluded.value, at = excluded.at`,
      input.deviceid,
      pin,
      JSON.stringify(value),
      input.at,
    );
}

/** The first report of a boot stands. */
function storeLedger(sql: Sql, input: SyncInput, start: number | null): number | null {
  let highest = start;
  for (const { boot, at, entry } of input.ledger) {
    sql.run(
      "INSERT INTO boots (deviceid, boot, at, entry) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      input.deviceid,
      boot,
      at,
      JSON.stringify(entry),
    );
    if (highest === null || boot > highest) highest = boot;
  }
  return highest;
}

/**
 * A device that joined said its MAC then; one that was registered beforehand says it once. Neither changes it later, nor
 * takes that of another approved device: the MAC decides which row a board that joins anew may replace.
 */
const MAC = `CASE WHEN mac <> '' OR ? IS NULL THEN mac ELSE coalesce(
  (SELECT '' FROM devices other WHERE other.mac = ? AND other.state = 'approved'), ?) END`;

function storeDevice(
  sql: Sql,
  input: SyncInput,
  watermark: Position | undefined,
  ledger: number | null,
): void {
  const latest = Object.fromEntries(input.readings.map(({ name, value }) => [name, value]));
  const { data, properties, status } = getDevice(sql, input.deviceid)!;
  const { report } = input;
  sql.run(
    `UPDATE devices SET lastseen = ?, ipaddr = coalesce(?, nullif(ipaddr, ''), ?), data = ?, watermark_boot = ?, watermark_key = ?, ledger_boot = ?,
       ssid = coalesce(?, ssid), mac = ${MAC}, chip = coalesce(?, chip), product = coalesce(?, product),
       layout = coalesce(?, layout), version = coalesce(?, version), rssi = coalesce(?, rssi),
       cfgsn_applied = coalesce(?, cfgsn_applied), ota = coalesce(?, ota),
       properties = ?, status = ?
     WHERE deviceid = ?`,
    input.at,
    report.ipaddr ?? null,
    input.address,
    JSON.stringify({ ...data, ...latest }),
    watermark?.[0] ?? null,
    watermark?.[1] ?? null,
    ledger,
    report.ssid ?? null,
    ...Array<string | null>(3).fill(report.mac ?? null),
    report.chip ?? null,
    report.product ?? null,
    report.layout ?? null,
    report.version ?? null,
    report.rssi ?? null,
    input.cfgsnApplied ?? null,
    input.ota === undefined ? null : JSON.stringify(input.ota),
    JSON.stringify({ ...properties, ...input.properties }),
    JSON.stringify(report.status ?? status), // all of it: what it says no more is so no more
    input.deviceid,
  );
}

function marksOf(sql: Sql, id: string): { watermark: Position | undefined; ledger: number | null } {
  const row = sql.get<Marks>(
    "SELECT watermark_boot, watermark_key, ledger_boot FROM devices WHERE deviceid = ?",
    id,
  )!;
  return {
    watermark: row.watermark_boot === null ? undefined : [row.watermark_boot, row.watermark_key!],
    ledger: row.ledger_boot,
  };
}

/** To be called inside a transaction. */
export function sync(sql: Sql, input: SyncInput): SyncOutcome {
  const { deviceid, g, boot, sequence, tag } = input;
  const last = sql.get<Freshness>(
    "SELECT boot, sequence, tag FROM identities WHERE deviceid = ? AND g = ?",
    deviceid,
    g,
  );
  if (!last) return { kind: "unknown" };
  const marks = marksOf(sql, deviceid);
  const unseen = isAbove([boot, sequence], last.tag === null ? undefined : [last.boot, last.sequence]);
  if (!unseen) {
    if (boot !== last.boot || sequence !== last.sequence || !isSame(last.tag, tag))
      return { kind: "stale", highestBoot: last.boot };
    return {
      kind: "duplicate",
      device: getDevice(sql, deviceid)!,
      watermark: marks.watermark,
      ledger: marks.ledger ?? undefined,
      stored: 0,
    };
  }
  sql.run(
    "UPDATE identities SET boot = ?, sequence = ?, tag = ? WHERE deviceid = ? AND g = ?",
    boot,
    sequence,
    tag,
    deviceid,
    g,
  );
  const [watermark, stored] = storeReadings(sql, input, marks.watermark);
  storePins(sql, input);
  const ledger = storeLedger(sql, input, marks.ledger);
  storeDevice(sql, input, watermark, ledger);
  return {
    kind: "accepted",
    device: getDevice(sql, deviceid)!,
    watermark,
    ledger: ledger ?? undefined,
    stored,
  };
}
