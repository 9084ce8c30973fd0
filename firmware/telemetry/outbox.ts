// Readings on their way to the server: bounded, in order, kept until acknowledged. Columns, because objects cost RAM.

import type { System } from "../device/types.js";
import { isName, scalar } from "../protocol/field.js";
import type { Reading, Scalar } from "../protocol/sync-message.js";

export const OUTBOX_SIZE = 32;
/** Text of a reading is bounded more tightly than the wire does: the outbox is full of it at worst. */
export const MAX_TEXT = 64; // bytes
const MAX_NAME = 32;

export interface OutboxListener {
  onReading(): void;
}

export class Outbox {
  private readonly uptimes = new Float64Array(OUTBOX_SIZE); // ms
  private readonly numbers = new Uint32Array(OUTBOX_SIZE);
  private readonly names: string[] = [];
  private readonly values: Scalar[] = [];
  private first = 0;
  private count = 0;
  private next = 1;
  private boot: number;
  /** Readings that were dropped because nothing took them for too long. */
  dropped = 0;
  listener: OutboxListener | undefined;
  private readonly system: System;

  constructor(system: System, boot: number) {
    this.system = system;
    this.boot = boot;
  }

  get length(): number {
    return this.count;
  }

  /** Throws RangeError or FormatError for a name or value that the server would refuse: with it, all that waits here. */
  add(name: string, value: Scalar): void {
    if (!isName(name.split(".").join("-"), MAX_NAME) || name.includes("__proto__"))
      throw new RangeError(
        `a reading's name has 1 to ${MAX_NAME} of A-Z a-z 0-9 _ - and dots, not "${name}"`,
      );
    scalar(name, value, MAX_TEXT);
    if (this.count === OUTBOX_SIZE) {
      this.remove(1);
      this.dropped += 1;
    }
    const at = (this.first + this.count) % OUTBOX_SIZE;
    this.uptimes[at] = Math.round(this.system.uptimeMs());
    this.numbers[at] = this.next;
    this.names[at] = this.known(name); // one text for all its readings, where the app makes it up anew each time
    this.values[at] = value;
    this.next += 1;
    this.count += 1;
    this.listener?.onReading();
  }

  private known(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? name : this.names[at]!;
  }

  /** The oldest readings, at most `limit`, as they travel. They stay here. */
  batch(limit: number): Reading[] {
    const readings: Reading[] = [];
    for (let i = 0; i < Math.min(limit, this.count); i += 1) {
      const at = (this.first + i) % OUTBOX_SIZE;
      readings.push([this.boot, this.numbers[at]!, this.uptimes[at]!, this.names[at]!, this.values[at]!]);
    }
    return readings;
  }

  /** Everything up to record `number` of boot `boot` is durable at the server. */
  acknowledge(boot: number, number: number): void {
    if (boot < this.boot) return;
    let done = 0;
    while (done < this.count) {
      const at = (this.first + done) % OUTBOX_SIZE;
      if (boot === this.boot && this.numbers[at]! > number) break;
      done += 1;
    }
    this.remove(done);
  }

  /** After `stale`: what waits here was never taken under the old number, so it goes out under the new one. */
  rename(boot: number): void {
    this.boot = boot;
  }

  private remove(count: number): void {
    this.first = (this.first + count) % OUTBOX_SIZE;
    this.count -= count;
  }
}
