// Button and LED of a board. The button: pressed in the first 5 s after a start it begins set-up at step 3 of the chain, held for
// 15 s it forgets the networks that were stored. (Held *at* a reset it is the chip's download strap.) The LED says what goes on.

import type { Gpio } from "../device/types.js";
import { NETWORK_NOTES, NETWORKS } from "../store/keys.js";
import type { Base } from "../store/base.js";
import type { Phase } from "./chain.js";

const TICK_MS = 250;
/** Once it is online and nobody is at the button: often enough for 15 s. */
const SLOW_TICK_MS = 1_000;
const PRESS_MS = 5_000;
const FORGET_MS = 15_000;
const CONFIRM_MS = 3_000;

/** Two seconds of the LED, a bit a tick, the first one highest. */
const PATTERNS = {
  off: 0b00000000,
  pass: 0b10101010, // looking for a network: on and off by turns
  waiting: 0b10100000, // waits to be set up: two flashes, a pause
  online: 0b11111111,
  forgotten: 0b11101110, // short gaps: the networks are forgotten
} as const;

export interface PanelListener {
  readonly phase: Phase;
  /** The button was pressed just after the start. */
  setUp(): void;
}

export class Panel {
  private readonly base: Base;
  private readonly gpio: Gpio;
  private readonly chain: PanelListener;
  private readonly restart: (base: Base) => void;
  private ticks = 0;
  private pressedMs: number | undefined; // since when
  private forgottenMs: number | undefined;
  private asked = false;

  /** `restart` is called when the networks were forgotten and the LED has said so. */
  constructor(base: Base, chain: PanelListener, restart: (base: Base) => void) {
    this.base = base;
    this.gpio = base.device.gpio!;
    this.chain = chain;
    this.restart = restart;
    this.next();
  }

  private next(): void {
    const { timer } = this.base.device;
    const slow =
      this.chain.phase === "online" && this.pressedMs === undefined && this.forgottenMs === undefined;
    timer.set(() => this.tick(), slow && this.uptimeMs() > PRESS_MS ? SLOW_TICK_MS : TICK_MS);
  }

  private tick(): void {
    const nowMs = this.uptimeMs();
    this.ticks += 1;
    this.show();
    if (this.forgottenMs === undefined) this.watch(nowMs);
    else if (nowMs - this.forgottenMs >= CONFIRM_MS && this.released) {
      return this.restart(this.base);
    }
    this.next();
  }

  /** Pulled up: high. Held at a restart the button would select the download mode. */
  private get released(): boolean {
    const { button } = this.base.config;
    return button === undefined || this.gpio.read(button);
  }

  private watch(nowMs: number): void {
    if (this.released) {
      this.pressedMs = undefined;
      return;
    }
    this.pressedMs ??= nowMs;
    if (!this.asked && this.pressedMs <= PRESS_MS) {
      this.asked = true;
      this.base.log("button", "set-up was asked for");
      this.chain.setUp();
    } else if (nowMs - this.pressedMs >= FORGET_MS) this.forget(nowMs);
  }

  private forget(nowMs: number): void {
    const { store, log } = this.base;
    this.forgottenMs = nowMs;
    log("button", "held for 15 s: the stored networks are forgotten", "W");
    store.delete(NETWORKS);
    store.delete(NETWORK_NOTES);
  }

  private show(): void {
    const { led, ledOn = 1 } = this.base.config;
    if (led === undefined) return;
    const pattern = PATTERNS[this.forgottenMs === undefined ? this.chain.phase : "forgotten"];
    const lit = ((pattern >> (7 - (this.ticks & 7))) & 1) === 1;
    this.gpio.write(led, lit === (ledOn === 1));
  }

  private uptimeMs(): number {
    return this.base.device.system.uptimeMs();
  }
}
