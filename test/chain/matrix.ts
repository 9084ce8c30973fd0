// Every combination of what a board knows, what was patched into it, what its router does, what a phone in its network sends
// and who is at its UART.

import type { Defaults } from "../../firmware/format/defaults-block.js";
import { checkWorld, type World } from "../../tools/simulator/world.js";

export const stored = ["none", "good", "bad-password", "absent", "eight"] as const;
export const defaults = ["none", "good", "bad", "changed"] as const;
export const routers = [
  "there",
  "late",
  "gone",
  "password-changed",
  "5-ghz-only",
  "dhcp-dead",
  "captive",
] as const;
export const smartconfig = ["none", "right", "wrong-password", "garbage", "cut-off"] as const;
export const serial = ["none", "person", "improv", "garbage"] as const;

export interface Case {
  stored: (typeof stored)[number];
  defaults: (typeof defaults)[number];
  router: (typeof routers)[number];
  smartconfig: (typeof smartconfig)[number];
  serial: (typeof serial)[number];
}

export interface Credentials {
  ssid: string;
  password: string;
}

/** The owner's network, and another one that is always there. */
export const home: Credentials = { ssid: "Broome", password: "cable-beach-6725" };
export const derby: Credentials = { ssid: "Derby", password: "boab-prison-tree" };
const MISTYPED = "cable-beech-6725";

/** From this moment of world time on the router of the others is as it should be, whatever it was before. */
const RESTORED_MS = 60_000;
const VANISHES_MS = 15_000;

/** From its beginning to the end of every run. */
const PHONE_AT_MS = 2_000;
const PHONE_FOR_MS = 300_000;
/** A transfer that breaks off: less than v1's guide codes and all data, or than one round of v2, again and again. */
const CUT_OFF_MS = { v1: 2_300, v2: 500 };
const CUT_OFF_EVERY_MS = 4_100;
const CUT_OFF_TIMES = 45;

/** The promise: from every state, so soon is the board on line when a known router is there. */
const PROMISE_MS = 75_000;
/** While a transfer by SmartConfig is under way. */
const TRANSFER_PROMISE_MS = 120_000;

export const cases: readonly Case[] = stored.flatMap((s) =>
  defaults.flatMap((d) =>
    routers.flatMap((router) =>
      smartconfig.flatMap((touch) =>
        serial.map((who) => ({ stored: s, defaults: d, router, smartconfig: touch, serial: who })),
      ),
    ),
  ),
);

export function nameOf(one: Case): string {
  const { stored, defaults, router, smartconfig, serial } = one;
  return `stored=${stored} defaults=${defaults} router=${router} smartconfig=${smartconfig} serial=${serial}`;
}

/** Newest first. */
export function storedNetworks(one: Case): Credentials[] {
  switch (one.stored) {
    case "none":
      return [];
    case "good":
      return [home];
    case "bad-password":
      return [{ ...home, password: MISTYPED }];
    case "absent":
      return [{ ssid: "Kununurra", password: "lake-argyle-1972" }];
    case "eight":
      return [
        ...Array.from({ length: 6 }, (_, i) => ({ ssid: `Station ${i}`, password: `homestead-${i}` })),
        { ...derby, password: "mistyped-tree" },
        home, // the one that worked longest ago
      ];
  }
}

/** What the image holds; `imported` is what an image before it left in the store. */
export function defaultsOf(one: Case): { block: Defaults; imported?: Defaults } {
  const values = ({ ssid, password }: Credentials) => ({ "wifi.ssid": ssid, "wifi.password": password });
  switch (one.defaults) {
    case "none":
      return { block: {} };
    case "good":
      return { block: values(home) };
    case "bad":
      return { block: values({ ...home, password: MISTYPED }) };
    case "changed":
      return { block: values(home), imported: values({ ssid: "Old House", password: "before-we-moved" }) };
  }
}

/** World time from which the router is as it should be. */
export function restoredMs({ router }: Case): number {
  return router === "there" || router === "captive" ? 0 : RESTORED_MS;
}

/**
 * Boards that have a server already, three of four, and boards whose owner has still to name one: whatever four of the five
 * values are, the fifth meets both kinds.
 */
export function knowsServer(one: Case): boolean {
  return placesOf(one).reduce((sum, place) => sum + place, smartconfig.indexOf(one.smartconfig)) % 4 !== 3;
}

/** False: it has an address, and its packets lead nowhere. */
export function reachesServer({ router }: Case): boolean {
  return router !== "captive";
}

/** World time, counted from `restoredMs`, within which a board that knows the way is on line. */
export function promiseMs({ smartconfig }: Case): number {
  return smartconfig === "none" || smartconfig === "garbage" ? PROMISE_MS : TRANSFER_PROMISE_MS;
}

/** What leads online once the router is as it should be. */
export function knowsTheWay(one: Case): boolean {
  const good = ({ ssid, password }: Credentials) => ssid === home.ssid && password === home.password;
  const patched = one.defaults === "good" || one.defaults === "changed";
  return storedNetworks(one).some(good) || patched || one.smartconfig === "right";
}

/** ESP-Touch v1 and v2 in turn: each meets every value of every dimension. */
export function touchVersionOf(one: Case): "v1" | "v2" {
  return placesOf(one).reduce((sum, place) => sum + place, 0) % 2 === 0 ? "v2" : "v1";
}

/** Of its values among all of their dimension, SmartConfig's apart. */
function placesOf(one: Case): number[] {
  return [
    stored.indexOf(one.stored),
    defaults.indexOf(one.defaults),
    routers.indexOf(one.router),
    serial.indexOf(one.serial),
  ];
}

/** The owner's phone is in the owner's network: it sends only while that is on the air. */
function phonesOf(one: Case): object[] {
  const sends = touchVersionOf(one);
  const right = { at: PHONE_AT_MS, forMs: PHONE_FOR_MS, via: home.ssid, sends, ...home };
  switch (one.smartconfig) {
    case "none":
      return [];
    case "right":
      return [right];
    case "wrong-password":
      return [{ ...right, password: MISTYPED }];
    case "garbage":
      return [{ ...right, sends: "garbage" }];
    case "cut-off":
      return Array.from({ length: CUT_OFF_TIMES }, (_, i) => {
        return { ...right, at: PHONE_AT_MS + i * CUT_OFF_EVERY_MS, forMs: CUT_OFF_MS[sends] };
      });
  }
}

export function worldOf(one: Case): World {
  const { router } = one;
  const fail = { late: "absent", "5-ghz-only": "absent", "dhcp-dead": "no-address", captive: "unreachable" }[
    router as string
  ];
  const faults: object[] = [];
  const at = RESTORED_MS;
  if (router === "gone") faults.push({ at: VANISHES_MS, what: "vanish", ssid: home.ssid });
  if (router === "password-changed") faults.push({ at, what: "password", ...home });
  else if (router !== "there" && router !== "captive") {
    faults.push({ at, what: "appear", ssid: home.ssid });
    faults.push({ at, what: "fail", ssid: home.ssid, fail: null });
  }
  const password = router === "password-changed" ? "changed-by-the-owner" : home.password;
  return checkWorld({
    seed: 1,
    clock: "fast",
    accessPoints: [
      { ...home, password, security: "wpa2", channel: 6, rssi: -55, ...(fail === undefined ? {} : { fail }) },
      { ...derby, security: "wpa2", channel: 1, rssi: -70 },
    ],
    faults,
    phones: phonesOf(one),
  });
}
