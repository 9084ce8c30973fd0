// Virtual pins: what owners set, and the one that triggers updates (CONTRACT: V100).

import { MAX_PIN, MAX_VALUE } from "../firmware/protocol/sync-message.js";
import { measure } from "../firmware/format/utf8.js";
import { badRequest, HostError, notFound } from "./error.js";
import type { Events } from "./events.js";
import type { Holds } from "./holds.js";
import type { ReleaseService } from "./releases.js";
import type { Device, PinValue, Store } from "./store/store.js";

/** `1` asks for the newest release, a version for that one, `0` takes the wish back. */
export const OTA_TRIGGER_PIN = 100;

export interface PinOptions {
  store: Store;
  releases: ReleaseService;
  holds: Holds;
  events: Events;
  now: () => number;
}

/** `V100`, `v100` -> 100. Throws HostError `bad-request`. */
export function parsePin(name: string): number {
  const pin = /^[vV](0|[1-9][0-9]{0,2})$/.exec(name) ? Number(name.slice(1)) : NaN;
  if (!(pin <= MAX_PIN)) throw badRequest(`"${name}" is not a pin`, `Pins are V0 to V${MAX_PIN}.`);
  return pin;
}

/** Throws HostError `value-too-long` where a pin cannot hold the value. */
export function checkValue(value: string): string {
  if (measure(value) > MAX_VALUE)
    throw new HostError(400, "value-too-long", `a pin holds ${MAX_VALUE} bytes`, "Shorten the value.");
  return value;
}

export interface Trigger {
  /** A lower version is meant. An admin's to say, never a pin's. */
  down?: boolean;
  /** Also where the device remembers the image as failed. */
  again?: boolean;
}

export class PinService {
  readonly #options: PinOptions;

  constructor(options: PinOptions) {
    this.#options = options;
  }

  /**
   * Sets pins of an approved device and wakes it. Raising V100 puts a release on offer. Throws HostError `not-found`,
   * `value-too-long`, `release-unknown`, `release-not-newer`; nothing is set then.
   */
  async set(id: string, pins: { pin: number; value: string }[], trigger: Trigger = {}): Promise<PinValue[]> {
    const { store, holds, events, now } = this.#options;
    const device = await store.getDevice(id);
    if (device?.state !== "approved") throw notFound(`approved device ${id}`);
    for (const { value } of pins) checkValue(value);
    const wish = pins.filter(({ pin }) => pin === OTA_TRIGGER_PIN).at(-1);
    const release =
      wish && wish.value !== "0"
        ? await this.#options.releases.wanted(device, wish.value, trigger.down ?? false)
        : undefined;
    const values = await store.setPins(id, pins, now());
    if (wish) {
      const { revision } = values.filter(({ pin }) => pin === OTA_TRIGGER_PIN).at(-1)!;
      const offer = release && {
        manifest: release.manifest,
        down: trigger.down ?? false,
        again: trigger.again ?? false,
        revision,
      };
      await store.setOffer(id, offer ?? null);
    }
    holds.wake(id);
    for (const { pin, value } of values)
      events.emit("pin.changed", { id, pin: `V${pin}`, value, by: "owner" });
    return values;
  }

  /** The value that was set or reported last, or undefined. */
  get(id: string, pin: number): Promise<PinValue | undefined> {
    return this.#options.store.getPin(id, pin);
  }

  /** Puts the newest fitting release on offer, for a device that says it is checking. */
  async check(device: Device): Promise<void> {
    if (device.offer) return;
    const release = await this.#options.releases.newestFor(device);
    if (release)
      await this.#options.store.setOffer(device.deviceid, {
        manifest: release.manifest,
        down: false,
        again: false,
        revision: 0,
      });
  }
}
