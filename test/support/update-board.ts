// A board cut down to what updates need: flash, slots, store and crypto are the virtual board's, files come over real sockets.

import type { Device, Slots, SlotState } from "../../firmware/device/types.js";
import { chooseSlot, OTA_VALID } from "../../firmware/format/otadata.js";
import { LinkError } from "../../firmware/link/error.js";
import { HttpClient } from "../../firmware/link/http.js";
import { loadMemory, saveMemory } from "../../firmware/ota/memory.js";
import { OtaStatus } from "../../firmware/ota/status.js";
import { isOnTrial, reviewStart, Trial } from "../../firmware/ota/trial.js";
import { UpdateError, Updater } from "../../firmware/ota/updater.js";
import { Pins } from "../../firmware/pins/pins.js";
import type { Offer } from "../../firmware/protocol/sync-message.js";
import type { Base, ImageConfig } from "../../firmware/store/base.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { readStart, type Start } from "../../firmware/telemetry/causes.js";
import { ServerTime } from "../../firmware/telemetry/server-time.js";
import { crypto } from "../../host/crypto.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { verifySlot } from "../../tools/simulator/boot.js";
import { ChipCrypto } from "../../tools/simulator/crypto.js";
import { NorFlash, PowerCut } from "../../tools/simulator/flash.js";
import { readOtaEntries, SlotControl, writeOtaEntry, type Slot } from "../../tools/simulator/slots.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import * as node from "./node-device.js";
import { testImage, updateKey } from "./release.js";

const { layout } = esp32c3;
const SLOTS: Slot[] = [
  { label: "ota_0", ...layout.ota_0 },
  { label: "ota_1", ...layout.ota_1 },
];

class Restart extends Error {}

export interface UpdateBoardOptions {
  port: number; // of the file server
  /** What the image in that slot says of itself. */
  config?: (slot: number) => Partial<ImageConfig>;
  flash?: NorFlash;
}

/** One run, from a reset to the next. */
export interface Run {
  base: Base;
  running: number; // slot
  start: Start;
  slots: Slots;
}

/** How an attempt to update ended. */
export type Outcome = "restart" | { refused: string } | { waits: string };

export class UpdateBoard {
  readonly flash: NorFlash;
  readonly lines: string[] = [];
  private readonly options: UpdateBoardOptions;
  private updater: { base: Base; updater: Updater } | undefined;
  private ended: (error: unknown) => void = () => undefined;
  private uptimeMs = 0;
  private cut: PowerCut | undefined; // also where the firmware took it for an ordinary error

  /** With 1.0.0 in its first slot, as flashed, unless the flash is given. */
  constructor(options: UpdateBoardOptions) {
    this.options = options;
    this.flash = options.flash ?? NorFlash.open({ size: esp32c3.flashSize });
    if (!options.flash) this.flash.program(layout.ota_0.offset, testImage("1.0.0"));
  }

  /** As the bootloader, then as the firmware's first lines. Undefined where that ends in a restart. @throws PowerCut */
  boot(cause: string): Run | undefined {
    const running = this.bootSlot();
    this.uptimeMs = 0;
    this.updater = undefined;
    const control = this.control(running);
    const base = this.base(running, control, cause);
    try {
      const start = reviewStart(base, readStart(base.store, base.device.system.resetCause()));
      if (start) return { base, running, start, slots: base.device.slots! };
      this.pass(0); // it restarts in a turn of its own
      throw new Error("a start that was left to a restart, and no restart");
    } catch (error) {
      if (error instanceof Restart) return undefined;
      throw error;
    }
  }

  /** Steps until the update restarts, ends, or has to wait; called again after a wait, it goes on. @throws PowerCut */
  async update({ base }: Run, offer: Offer): Promise<Outcome> {
    if (this.updater?.base !== base) {
      const memory = loadMemory(base.store);
      if (memory.s !== "installing")
        saveMemory(base.store, { ...memory, s: "installing", o: offer, h: "", r: "", n: 0 }); // as the agent
      const listener = { onUpdateStep: (error: unknown) => this.ended(error) };
      this.updater = { base, updater: new Updater(base, statusOf(base), offer, listener) };
    }
    const { tcp, resolve, timer } = node;
    const http = new HttpClient({ tcp, resolve, timer, host: "127.0.0.1", port: this.options.port });
    try {
      for (;;) {
        let failure: unknown;
        this.ended = (error) => (failure = error);
        await this.updater.updater.step(http);
        if (failure === undefined) continue;
        if (failure instanceof Restart) return "restart";
        if (failure instanceof UpdateError) return { refused: failure.code };
        if (failure instanceof LinkError) return { waits: failure.message };
        throw failure;
      }
    } finally {
      http.close();
    }
  }

  beginTrial({ base }: Run): Trial {
    const trial = new Trial(base, statusOf(base));
    trial.begin();
    return trial;
  }

  /** The trial that `run` is on, to its end: a bound reply comes, or none. True where it restarts. @throws PowerCut */
  tryOut(run: Run, bound: boolean): boolean {
    try {
      const trial = this.beginTrial(run);
      if (bound) trial.onBoundReply();
      this.pass(1_000_000);
      return false;
    } catch (error) {
      if (error instanceof Restart) return true;
      throw error;
    }
  }

  /**
   * Lives on until nothing more happens: boots, installs what is on offer, tries it out. A power cut that was set for the flash
   * happens once, then the power is back.
   */
  async live(offer: Offer, bound: boolean): Promise<Run> {
    let cause = "power-on";
    for (let starts = 0; starts < 12; starts += 1) {
      try {
        const run = this.boot(cause);
        cause = "software";
        const settled = run && (await this.settles(run, offer, bound));
        if (this.cut) throw this.cut;
        if (settled) return run;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.flash.cutAfter(undefined);
        this.cut = undefined;
        cause = "power-on";
      }
    }
    throw new Error(`it goes on for ever:\n${this.lines.join("\n")}`);
  }

  /** What a power cut leaves between erase and program of the entry that selected the second slot. */
  eraseMark(): void {
    const [first, second] = readOtaEntries(this.flash, layout.otadata);
    const newer = second.sequence !== 0xffffffff && second.sequence > first.sequence ? 1 : 0;
    this.flash.erase(layout.otadata.offset + newer * this.flash.sectorSize);
  }

  private async settles(run: Run, offer: Offer, bound: boolean): Promise<boolean> {
    if (isOnTrial(run.slots)) return !this.tryOut(run, bound);
    const { s } = loadMemory(run.base.store);
    if (s === "failed" || s === "confirmed") return true;
    const outcome = await this.update(run, offer);
    if (outcome !== "restart") throw new Error(JSON.stringify(outcome));
    return false;
  }

  /** As the bootloader: the slot that otadata names, the other where its image is none. */
  private bootSlot(): number {
    const choice = chooseSlot(readOtaEntries(this.flash, layout.otadata), SLOTS.length);
    for (const sector of [0, 1] as const) {
      const { sequence, state } = choice.entries[sector];
      if (choice.changed[sector]) writeOtaEntry(this.flash, layout.otadata, sector, sequence, state);
    }
    for (const slot of [choice.slot, 1 - choice.slot]) {
      try {
        verifySlot(this.flash, esp32c3, SLOTS[slot]!);
      } catch {
        continue;
      }
      if (choice.initial) writeOtaEntry(this.flash, layout.otadata, 0, slot + 1, OTA_VALID);
      return slot;
    }
    throw new Error("bricked: no slot holds an image");
  }

  private control(running: number): SlotControl {
    const { flash } = this;
    const verify = (slot: Slot) => void verifySlot(flash, esp32c3, slot);
    return new SlotControl({ flash, otadata: layout.otadata, slots: SLOTS, running, verify });
  }

  private base(running: number, control: SlotControl, cause: string): Base {
    const store = flashRegion(this.flash, layout.broome.offset, layout.broome.size);
    const { offset, size } = SLOTS[1 - running]!;
    const device = {
      ...{ tcp: node.tcp, resolve: node.resolve, crypto: chipCrypto(), slots: this.slots(control) },
      flash: (name: string) => (name === "other" ? flashRegion(this.flash, offset, size) : store),
      timer: { set: (callback: () => void, ms: number) => this.set(callback, ms), clear: this.clear },
      system: {
        resetCause: () => cause,
        uptimeMs: () => this.uptimeMs,
        feedWatchdog: () => undefined,
        mark: () => undefined,
        restart: () => {
          throw new Restart("restart");
        },
      },
    } as unknown as Device;
    this.timers = [];
    const config: ImageConfig = {
      ...{ product: "broome-example", version: "1.0.0", chip: "esp32c3", layout: "4mb-2slot" },
      ...{ sc: 0, updateKeys: [updateKey] },
      ...this.options.config?.(running),
    };
    const log = (tag: string, text: string) => void this.lines.push(`${tag}: ${text}`);
    return { device, config, store: new LogStore({ flash: store }), log };
  }

  private slots(control: SlotControl): Slots {
    const named = ([name, state]: unknown[]) => ({ name: name as string, state: state as SlotState });
    const changing = (action: () => void) => () => {
      try {
        action();
      } catch (error) {
        if (error instanceof PowerCut) this.cut = error;
        throw error;
      }
    };
    return {
      running: () => named(control.running()),
      other: () => {
        const other = control.other();
        return other && { ...named(other), size: other[2] as number };
      },
      invalidateOther: changing(() => control.invalidateOther()),
      selectOther: changing(() => control.selectOther()),
      rearmOther: changing(() => control.rearmOther()),
      markValid: changing(() => control.markValid()),
      markInvalid: changing(() => control.markInvalid()),
    };
  }

  // --- time ---

  private timers: { due: number; callback: () => void }[] = [];

  private set(callback: () => void, ms: number): object {
    const timer = { due: this.uptimeMs + ms, callback };
    this.timers.push(timer);
    return timer;
  }

  private readonly clear = (timer: unknown): void => {
    this.timers = this.timers.filter((other) => other !== timer);
  };

  private pass(ms: number): void {
    const end = this.uptimeMs + ms;
    for (;;) {
      const [next] = this.timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (!next) break;
      this.clear(next);
      this.uptimeMs = Math.max(this.uptimeMs, next.due);
      next.callback();
    }
    this.uptimeMs = end;
  }
}

function statusOf(base: Base): OtaStatus {
  return new OtaStatus(base, new Pins(base), new ServerTime());
}

/** The virtual chip's hashes: it has 8, and no more. */
function chipCrypto(): Pick<Device["crypto"], "sha256" | "createSha256" | "ed25519Verify"> {
  const chip = new ChipCrypto((length) => new Uint8Array(length));
  return {
    sha256: (...parts) => chip.sha256(parts),
    ed25519Verify: crypto.ed25519Verify,
    createSha256: () => {
      const handle = chip.hashStart();
      return {
        update: (bytes) => chip.hashUpdate(handle, bytes),
        digest: () => chip.hashDigest(handle),
      };
    },
  };
}
