// Seeded transfers through bad air: how long a chip of the simulator, which hops over the channels, in slices as the firmware of a
// board has them that knows no network, needs to hear a phone when frames are lost.

import { Air } from "../../../tools/simulator/air.js";
import { Clock } from "../../../tools/simulator/clock.js";
import { EventQueue } from "../../../tools/simulator/events.js";
import { schedulePhones } from "../../../tools/simulator/phone.js";
import { Radio } from "../../../tools/simulator/radio.js";
import { seeded } from "../../../tools/simulator/seeded.js";
import { Touch } from "../../../tools/simulator/touch.js";
import { checkWorld } from "../../../tools/simulator/world.js";

/** firmware/connect/smartconfig.ts, chain.ts: a slice, which frames that keep coming hold, and a scan behind it. */
const SLICE_MS = 30_000;
const HELD_CHECK_MS = 500;
const BETWEEN_MS = 1_000;
const GIVE_UP_MS = 300_000;

/** Share of the frames that are lost. */
export const LOSS = 0.3;
export const SEED = 20261127;
/** What each version has to be heard within. */
export const LIMITS_MS = { 1: 120_000, 2: 60_000 } as const;

export interface Transfers {
  version: 1 | 2;
  runs: number;
  /** Of the first run; each further one has the next. */
  seed: number;
  /** World time from the phone's first datagram, in ms. */
  p50: number;
  p95: number;
  max: number;
  /** Runs in which nothing was heard in 300 s, or something wrong. */
  failures: string[];
}

export function transfers(version: 1 | 2, runs: number, seed: number): Transfers {
  const times: number[] = [];
  const failures: string[] = [];
  for (let i = 0; i < runs; i += 1) {
    const ms = transfer(version, seed + i);
    if (typeof ms === "number") times.push(ms);
    else failures.push(`seed ${seed + i}: ${ms}`);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => Math.round(times[Math.ceil(share * times.length) - 1] ?? Infinity);
  return { version, runs, seed, p50: at(0.5), p95: at(0.95), max: at(1), failures };
}

/** Any credentials that an owner may have: names of 1 to 32 bytes, passphrases of 8 to 63; on any channel, begun at any time. */
function transfer(version: 1 | 2, seed: number): number | string {
  const chance = seeded(seed);
  const below = (limit: number) => Math.floor(chance() * limit);
  const text = (length: number) => String.fromCharCode(...Array.from({ length }, () => 33 + below(94)));
  const [ssid, password] = [text(1 + below(32)), text(8 + below(56))];
  const at = below(3_000);
  const world = checkWorld({
    accessPoints: [{ ssid, password, security: "wpa2", channel: 1 + below(13) }],
    phones: [{ at, via: ssid, sends: `v${version}`, ssid, password, forMs: GIVE_UP_MS }],
    air: { loss: LOSS },
  });
  const clock = new Clock({ mode: "stepped", start: 0 });
  const air = new Air(world);
  const events = new EventQueue(() => undefined);
  const { post } = events;
  const radio = new Radio({ air, clock, post, chance, hostNumber: 2 });
  const mac = new Uint8Array(6);
  const touch = new Touch({ air, clock, post, radio, chance, mac, versions: [1, 2] });
  schedulePhones(world.phones, { clock, air, seed });
  const listen = () => {
    touch.start(undefined);
    clock.set(SLICE_MS, check);
  };
  const check = () => {
    if (touch.receiving()) return clock.set(HELD_CHECK_MS, check);
    touch.stop();
    return clock.set(BETWEEN_MS, listen);
  };
  listen();
  while (clock.step() && clock.now() < at + GIVE_UP_MS) {
    const [name, heard, key] = events.take() ?? [];
    if (name === undefined) continue;
    const right =
      name === "smartconfig.heard" && key === password && Buffer.from(ssid).equals(heard as Buffer);
    return right ? clock.now() - at : `${name} is wrong after ${clock.now() - at} ms`;
  }
  return `nothing after ${GIVE_UP_MS} ms`;
}
