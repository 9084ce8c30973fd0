// The list of a series: a CSV file (RFC 4180) with one row per board, `name,ssid,password,key` and whatever else an image takes.

import { parse } from "csv-parse/sync";
import { BroomeError } from "../error.js";
import { refusalOf, keyOf } from "../patch/values.js";

/** The short names of columns; others are keys of the defaults block as they are (`server.url`, `x.room`). */
const COLUMNS: Readonly<Record<string, string>> = {
  name: "device.name",
  ssid: "wifi.ssid",
  password: "wifi.password",
  key: "join.key",
};
const MAX_ROWS = 100_000;

export interface Device {
  readonly name: string;
  /** Keys of the defaults block; an empty cell is not given. */
  readonly values: Readonly<Record<string, string>>;
}

/** Every row, checked before the first board is touched. @throws BroomeError `series-invalid`, with the line; never with a secret */
export function parseDevices(text: string): Device[] {
  const rows = parseRows(text);
  const [header, ...body] = rows;
  if (!header || body.length === 0) throw invalid("there are no rows in it");
  if (body.length > MAX_ROWS) throw invalid(`${body.length} rows, at most ${MAX_ROWS}`);
  refuseSeparator(header.record);
  const keys = header.record.map((column) => columnKey(column.trim()));
  if (new Set(keys).size !== keys.length) throw invalid("two columns mean the same");
  if (!keys.includes("device.name")) throw invalid('there is no column "name"');
  const seen = new Set<string>();
  return body.map(({ record, line }) => {
    const device = deviceOf(keys, record, line);
    if (seen.has(device.name))
      throw invalid(`line ${line}: a second "${device.name}"; names tell the rows apart`);
    seen.add(device.name);
    return device;
  });
}

interface Row {
  readonly record: string[];
  readonly line: number;
}

function parseRows(text: string): Row[] {
  try {
    const records = parse(text, { bom: true, info: true, skip_empty_lines: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    throw invalid(`line ${lines ?? "?"} is no CSV (${code ?? "unreadable"})`); // its own message quotes the row
  }
}

/** What spreadsheets write in countries where the comma stands in numbers. */
function refuseSeparator(header: readonly string[]): void {
  const separator = [";", "\t"].find((one) => header.length === 1 && header[0]!.includes(one));
  if (separator === undefined) return;
  const name = separator === ";" ? "semicolons" : "tabs";
  throw invalid(`its columns are separated by ${name}; save it with commas`);
}

function columnKey(column: string): string {
  const key = Object.hasOwn(COLUMNS, column.toLowerCase()) ? COLUMNS[column.toLowerCase()]! : column;
  keyOf(key); // throws unknown-key
  return key;
}

function deviceOf(keys: readonly string[], record: readonly string[], line: number): Device {
  const values: Record<string, string> = {};
  keys.forEach((key, index) => {
    const cell = record[index] ?? "";
    const refused = refusalOf(key, cell);
    if (refused !== undefined) throw invalid(`line ${line}: ${refused}`);
    if (cell !== "") values[key] = cell;
  });
  const name = values["device.name"];
  if (name === undefined) throw invalid(`line ${line}: no name`);
  return { name, values };
}

function invalid(why: string): BroomeError {
  const help = "Its first line names the columns: name,ssid,password,key.";
  return new BroomeError("series-invalid", `the list of devices: ${why}`, help);
}
