// The phones of a world: each sends ESP-Touch through an access point, as Espressif's app does, until a device answers.

import { v1Schedule, v2Schedule, type Datagram } from "../smartconfig/schedule.js";
import { dataLengths } from "../smartconfig/v1.js";
import { roundLengths } from "../smartconfig/v2.js";
import type { Air } from "./air.js";
import type { Clock } from "./clock.js";
import { bssidBytes } from "./radio.js";
import { seeded } from "./seeded.js";
import type { PhoneInWorld } from "./world.js";

const GARBAGE_EVERY_MS = 10;
const MAX_GARBAGE = 1400; // bytes
const ADDRESS_OF_A_PHONE = 9;

/** Sets every phone on the clock. `answered` hears which of them a device has answered, with its MAC and address. */
export function schedulePhones(
  phones: readonly PhoneInWorld[],
  { clock, air, seed }: { clock: Clock; air: Air; seed: number },
  answered: (phone: number, packet: Uint8Array) => void = () => undefined,
): void {
  phones.forEach((phone, number) => {
    let told = false;
    clock.set(phone.at, () => {
      const end = clock.now() + phone.forMs;
      const datagrams = datagramsOf(phone, air, seeded(seed + number));
      const send = () => {
        if (told || clock.now() >= end) return;
        const { length, waitMs } = datagrams.next().value;
        air.carry(phone.via, `phone ${number}`, length, (packet) => {
          if (!told) answered(number, packet);
          told = true;
        });
        clock.set(waitMs, send);
      };
      send();
    });
  });
}

function datagramsOf(phone: PhoneInWorld, air: Air, chance: () => number): Iterator<Datagram, never> {
  if (phone.sends === "garbage") return garbage(chance);
  const beacon = air.named(phone.via)[0]!;
  const bssid = bssidBytes(beacon);
  const credentials = { ssid: Buffer.from(phone.ssid), password: Buffer.from(phone.password), bssid };
  if (phone.sends === "v1")
    return v1Schedule(dataLengths(credentials, Uint8Array.of(192, 168, beacon.channel, ADDRESS_OF_A_PHONE)));
  const random = (length: number) => Uint8Array.from({ length }, () => Math.floor(chance() * 256));
  const key = phone.key === undefined ? undefined : Buffer.from(phone.key);
  const reserved = phone.reserved === undefined ? undefined : Buffer.from(phone.reserved, "hex");
  return v2Schedule(
    roundLengths(credentials, { random, ...(key && { key }), ...(reserved && { reserved }) }),
  );
}

function* garbage(chance: () => number): Generator<Datagram, never> {
  for (;;) yield { length: Math.floor(chance() * MAX_GARBAGE), waitMs: GARBAGE_EVERY_MS };
}
