// From reset to the loop: what is put together at every start, in order.

import type { Device } from "../device/types.js";
import { encodeUtf8 } from "../format/utf8.js";
import { Chain } from "../connect/chain.js";
import { Improv } from "../connect/improv.js";
import { Panel } from "../connect/panel.js";
import { SerialStep } from "../connect/serial-step.js";
import { Terminal } from "../connect/terminal.js";
import { OtaStatus } from "../ota/status.js";
import { reviewStart, Trial } from "../ota/trial.js";
import { Settings } from "../pins/configuration.js";
import { Pins } from "../pins/pins.js";
import { logLine } from "../protocol/log-line.js";
import type { Base, ImageConfig } from "../store/base.js";
import { importDefaults } from "../store/defaults-record.js";
import { LogStore } from "../store/log-store.js";
import { noteUptime, readStart, restartFor } from "../telemetry/causes.js";
import type { Start } from "../telemetry/causes.js";
import { addLedgerEntry, nextBoot } from "../telemetry/ledger.js";
import { Outbox } from "../telemetry/outbox.js";
import { ServerTime } from "../telemetry/server-time.js";
import { Agent } from "./agent.js";
import type { AppApi } from "./app-api.js";

const SECOND_MS = 1_000;
/** Uptime is written down often at first, when restarts are likely, then rarely: flash wears. In seconds. */
const NOTE_FIRST_S = [10, 60];
const NOTE_EVERY_S = 600;

/** Runs the firmware on `device`; the gadget's program gets its API. Returns at once. */
export function start(device: Device, config: ImageConfig, app: (api: AppApi) => void): void {
  device.system.mark("boot");
  const terminal = new Terminal(device.console, device.timer);
  const base = baseOf(device, config, terminal);
  const began = explainStart(base);
  if (!began) return;
  const boot = nextBoot(base.store);
  addLedgerEntry(base.store, [boot, began.cause, config.version, began.previousUptimeMs, began.note]);
  // What follows begins on an empty stack: it holds 256 slots, and each call takes 15 to 35 of them.
  device.timer.set(() => assemble(base, terminal, app, began, boot), 0);
}

function baseOf(device: Device, config: ImageConfig, terminal: Terminal): Base {
  const { system } = device;
  return {
    device,
    config,
    store: new LogStore({ flash: device.flash("broome") }),
    log: (tag, text, level) => terminal.interject(encodeUtf8(logLine(system.uptimeMs(), tag, text, level))),
  };
}

/** Undefined where the board restarts at once. */
function explainStart(base: Base): Start | undefined {
  const { device, store, config, log } = base;
  const imported = importDefaults(store, device.resource("defaults.bin"));
  const read = readStart(store, device.system.resetCause()); // not nested: that takes more of the stack
  const began = reviewStart(base, read);
  if (!began) return undefined;
  const slot = device.slots?.running().name ?? "factory";
  log("boot", `slot=${slot} version=${config.version} cause=${began.cause}`);
  if (began.note) log("boot", began.note);
  if (imported) log("defaults", imported);
  return began;
}

function assemble(
  base: Base,
  terminal: Terminal,
  app: (api: AppApi) => void,
  began: Start,
  boot: number,
): void {
  const { device } = base;
  const chain = new Chain(base);
  const serial = new SerialStep(base, terminal, chain);
  chain.watchers.push(serial, new Improv(base, terminal, chain));
  const pins = new Pins(base);
  const outbox = new Outbox(device.system, boot);
  const time = new ServerTime();
  const status = new OtaStatus(base, pins, time);
  const trial = new Trial(base, status);
  const agent = new Agent(base, {
    chain,
    terminal,
    serial,
    outbox,
    pins,
    status,
    trial,
    time,
    start: began,
    boot,
  });
  const { button, led } = base.config;
  if (device.gpio && (button ?? led) !== undefined) new Panel(base, chain, restartForgotten);
  trial.begin();
  keepHouse(base);
  device.timer.set(() => runApp(base, app, outbox, pins), 0);
  device.timer.set(() => agent.run(), 0);
}

function restartForgotten({ store, device }: Base): void {
  restartFor(store, device.system, "user", "forgotten");
}

function runApp(base: Base, app: (api: AppApi) => void, telemetry: Outbox, pins: Pins): void {
  const { log, store, device } = base;
  try {
    app({ telemetry, pins, config: new Settings(store), log, timer: device.timer });
  } catch (error) {
    log("app", String(error), "E"); // the gadget's own fault must not keep the update out that mends it
  }
}

/** Every second: the watchdog, the store's next sector; and the uptime, once in a while. */
function keepHouse({ device, store }: Base): void {
  let seconds = 0;
  device.timer.repeat(() => {
    device.system.feedWatchdog();
    store.tend();
    seconds += 1;
    if (NOTE_FIRST_S.includes(seconds) || seconds % NOTE_EVERY_S === 0)
      noteUptime(store, device.system.uptimeMs());
  }, SECOND_MS);
}
