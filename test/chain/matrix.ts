// Every combination of what a board knows, what was patched into it, what its router does and who is at its UART.

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
export const serial = ["none", "person", "improv", "garbage"] as const;

export interface Case {
  stored: (typeof stored)[number];
  defaults: (typeof defaults)[number];
  router: (typeof routers)[number];
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

export const cases: readonly Case[] = stored.flatMap((s) =>
  defaults.flatMap((d) =>
    routers.flatMap((router) => serial.map((who) => ({ stored: s, defaults: d, router, serial: who }))),
  ),
);

export function nameOf(one: Case): string {
  return `stored=${one.stored} defaults=${one.defaults} router=${one.router} serial=${one.serial}`;
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

/** What would lead online once the router is as it should be. */
export function knowsTheWay(one: Case): boolean {
  const good = ({ ssid, password }: Credentials) => ssid === home.ssid && password === home.password;
  return storedNetworks(one).some(good) || one.defaults === "good" || one.defaults === "changed";
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
  });
}
