// The world file: what surrounds virtual boards (access points, faults, names, clock), validated before anything starts.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { BroomeError } from "../error.js";

const MAX_SSID = 32; // bytes (IEEE 802.11 9.4.2.2)

const ssid = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= MAX_SSID, `longer than ${MAX_SSID} bytes`);
const password = z
  .string()
  .regex(
    /^$|^[\x20-\x7e]{8,63}$|^[0-9a-fA-F]{64}$/,
    "expected 8 to 63 ASCII characters, 64 hex digits or none",
  );
const bssid = z.string().regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/, "expected six hex bytes with colons");
const ipv4 = z.ipv4();
const rssi = z.int().min(-127).max(0); // dBm
const atMs = z.number().min(0); // ms of world time, which begins when the boards are powered

/**
 * What is wrong with an access point: `absent` is not on the air, `no-address` associates and never gives an address (a
 * dead DHCP server), `refused` turns stations away, `unreachable` gives an address and loses every packet.
 */
const failure = z.enum(["absent", "no-address", "refused", "unreachable"]);

const accessPoint = z
  .strictObject({
    ssid,
    bssid: bssid.optional(),
    password: password.default(""),
    security: z.enum(["open", "wep", "wpa", "wpa2", "wpa3"]).optional(),
    channel: z.int().min(1).max(14).default(6),
    rssi: rssi.default(-50),
    hidden: z.boolean().default(false),
    fail: failure.optional(),
  })
  .superRefine((point, context) => {
    const open = (point.security ?? (point.password === "" ? "open" : "wpa2")) === "open";
    if (open === (point.password === "")) return;
    const message = open ? "an open network has no password" : `${point.security} needs a password`;
    context.addIssue({ code: "custom", path: ["password"], message, input: point.password });
  });

const fault = z.discriminatedUnion("what", [
  z.strictObject({ at: atMs, what: z.literal("appear"), ssid }),
  z.strictObject({ at: atMs, what: z.literal("vanish"), ssid }),
  z.strictObject({
    at: atMs,
    what: z.literal("disconnect"),
    ssid,
    reason: z.int().min(1).max(255).default(8),
  }),
  z.strictObject({ at: atMs, what: z.literal("fail"), ssid, fail: failure.nullable() }),
  z.strictObject({ at: atMs, what: z.literal("password"), ssid, password }),
  z.strictObject({ at: atMs, what: z.literal("signal"), ssid, rssi }),
  z.strictObject({ at: atMs, what: z.literal("reset"), board: z.int().min(0).optional() }),
  z.strictObject({
    at: atMs,
    what: z.literal("power-cut"),
    board: z.int().min(0).optional(),
    operation: z.int().min(1).optional(), // the n-th erase or program from then is torn; absent: at once
  }),
]);

/** Somebody with Espressif's app, in the network `via`. `garbage`: datagrams of any length instead. */
const phone = z.strictObject({
  at: atMs,
  via: ssid,
  sends: z.enum(["v1", "v2", "garbage"]).default("v2"),
  ssid: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= MAX_SSID, `longer than ${MAX_SSID} bytes`)
    .default(""),
  password: z.string().max(64).default(""),
  key: z.string().length(16).optional(), // v2's AES key
  reserved: z
    .string()
    .regex(/^([0-9a-fA-F]{2}){0,64}$/, "expected at most 64 bytes in hex")
    .optional(),
  forMs: z.number().min(0).default(90_000), // the app gives up then
});

const share = z.number().min(0).max(1);

const world = z
  .strictObject({
    seed: z.int().min(0).max(0xffffffff).optional(),
    clock: z.enum(["real", "fast"]).default("real"),
    start: z.iso.datetime().optional(), // what the wall clock says at the beginning; default: now
    test: z.boolean().default(false),
    keys: z.enum(["secure", "seeded", "stuck"]).default("secure"),
    accessPoints: z.array(accessPoint).max(1000).default([]),
    hosts: z.record(z.string().min(1), ipv4.nullable()).default({}), // names; null: does not resolve
    faults: z.array(fault).max(1000).default([]),
    phones: z.array(phone).max(64).default([]),
    // of the frames that ESP-Touch listens to
    air: z
      .strictObject({
        loss: share.default(0),
        reorder: share.default(0),
        loopback: z.boolean().default(true),
      })
      .prefault({}),
  })
  .superRefine((value, context) => {
    if (value.keys !== "secure" && !value.test) {
      const message = `"${value.keys}" keys are only for a world with "test": true`;
      context.addIssue({ code: "custom", path: ["keys"], message, input: value.keys });
    }
    const known = new Set(value.accessPoints.map((point) => point.ssid));
    value.phones.forEach(({ via }, index) => {
      if (known.has(via)) return;
      const message = "no access point has this name";
      context.addIssue({ code: "custom", path: ["phones", index, "via"], message, input: via });
    });
    value.faults.forEach((item, index) => {
      if ("ssid" in item && !known.has(item.ssid))
        context.addIssue({
          code: "custom",
          path: ["faults", index, "ssid"],
          message: "no access point has this name",
          input: item.ssid,
        });
    });
  });

type Parsed = z.infer<typeof world>;
export type Security = "open" | "wep" | "wpa" | "wpa2" | "wpa3";
export type Failure = z.infer<typeof failure>;
export type Fault = z.infer<typeof fault>;
export type PhoneInWorld = z.infer<typeof phone>;

export interface AccessPoint {
  readonly ssid: string;
  readonly bssid: string; // six hex bytes with colons, lower case
  readonly password: string;
  readonly security: Security;
  readonly channel: number;
  readonly rssi: number; // dBm
  readonly hidden: boolean;
  readonly fail: Failure | undefined;
}

/** A validated world: every default filled in. */
export interface World extends Omit<Parsed, "accessPoints"> {
  readonly accessPoints: readonly AccessPoint[];
}

/** One WPA2 network on channel 6, the real clock, no faults. */
export const defaultWorld: World = checkWorld({
  accessPoints: [{ ssid: "Cable Beach", password: "staircase-to-the-moon", channel: 6, rssi: -52 }],
});

/**
 * Validates a world.
 *
 * @throws BroomeError `world-invalid`, naming the path and the value of the first thing that is wrong
 */
export function checkWorld(input: unknown): World {
  const result = world.safeParse(input, { reportInput: true });
  if (!result.success) throw invalid(result.error.issues[0]!, input);
  const accessPoints = result.data.accessPoints.map((point, index) => ({
    ...point,
    bssid: (point.bssid ?? defaultBssid(index)).toLowerCase(),
    security: point.security ?? (point.password === "" ? ("open" as const) : ("wpa2" as const)),
    fail: point.fail,
  }));
  const hosts = Object.fromEntries(
    Object.entries(result.data.hosts).map(([name, address]) => [name.toLowerCase(), address]),
  );
  return { ...result.data, accessPoints, hosts };
}

/** Reads a world file. @throws BroomeError `world-invalid`, also for a file that is absent or not JSON */
export function readWorld(path: string): World {
  let input: unknown;
  try {
    input = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BroomeError("world-invalid", `${path}: ${why}`, "Give a JSON file as SPEC.md describes it.");
  }
  return checkWorld(input);
}

function defaultBssid(index: number): string {
  return `02:b0:0e:00:00:${index.toString(16).padStart(2, "0")}`;
}

function invalid(issue: z.core.$ZodIssue, input: unknown): BroomeError {
  const path = issue.path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text && "."}${String(key)}`),
    "",
  );
  const value = issue.path.reduce<unknown>(
    (at, key) => (at === null || at === undefined ? undefined : (at as Record<PropertyKey, unknown>)[key]),
    input,
  );
  const shown = value === undefined ? "nothing" : JSON.stringify(value);
  const message = `${path || "the world"}: ${issue.message}, got ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown}`;
  return new BroomeError("world-invalid", message, "Correct the world file; SPEC.md describes every field.");
}
