// How values look on the page.

import type { Device } from "./api.js";

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: [unit: Intl.RelativeTimeFormatUnit, ms: number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** "2 minutes ago". */
export function ago(time: number | null, now = Date.now()): string {
  if (time === null) return "never";
  for (const [unit, ms] of STEPS)
    if (now - time >= ms) return relative.format(-Math.floor((now - time) / ms), unit);
  return now - time < 10_000 ? "just now" : "less than a minute ago";
}

export function dateText(time: number): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** "3 h 20 min". */
export function spanText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export function bytesText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Six digits in two groups, as they are read out. */
export function codeText(code: string): string {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

export function nameOf(device: Device): string {
  return device.name || device.mac || device.deviceid;
}

/** 0 to 4 bars; -55 dBm and better is full, below -85 none. */
export function bars(rssi: number | null): number {
  if (rssi === null) return 0;
  return Math.max(0, Math.min(4, Math.floor((rssi + 95) / 10)));
}

export function valueText(value: unknown): string {
  if (typeof value === "number")
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return String(value);
}
