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
  private timer: unknown;
  private tickMs = 0;
  private high: boolean | undefined; // what the LED's pin was driven to
  private pressedMs: number | undefined; // since when
  private forgottenMs: number | undefined;
  private asked = false;

  /** `restart` is called when the networks were forgotten and the LED has said so. */
  constructor(base: Base, chain: PanelListener, restart: (base: Base) => void) {
    this.base = base;
    this.gpio = base.device.gpio!;
    this.chain = chain;
    this.restart = restart;
    this.tickEvery(TICK_MS);
  }

  private tickEvery(ms: number): void {
    if (this.tickMs === ms) return;
    const { timer } = this.base.device;
    timer.clear(this.timer);
    this.tickMs = ms;
    this.timer = timer.repeat(() => this.tick(), ms);
  }

  private tick(): void {
    this.ticks += 1;
    this.show();
    const { released, forgottenMs } = this;
    if (forgottenMs !== undefined) {
      if (released && this.uptimeMs() - forgottenMs >= CONFIRM_MS) this.restart(this.base);
    } else if (!released) this.watch(this.uptimeMs());
    else this.pressedMs = undefined;
    const busy = this.chain.phase !== "online" || !released || this.forgottenMs !== undefined;
    this.tickEvery(busy || this.ticks * TICK_MS <= PRESS_MS ? TICK_MS : SLOW_TICK_MS);
  }

  /** Pulled up: high. Held at a restart the button would select the download mode. */
  private get released(): boolean {
    const { button } = this.base.config;
    return button === undefined || this.gpio.read(button);
  }

  /** It is held down. */
  private watch(nowMs: number): void {
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
    const high = lit === (ledOn === 1);
    if (high !== this.high) this.gpio.write(led, high);
    this.high = high;
  }

  private uptimeMs(): number {
    return this.base.device.system.uptimeMs();
  }
}
