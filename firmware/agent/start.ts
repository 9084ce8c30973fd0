// From reset to the loop: what is put together at every start, in order.

import type { Device } from "../device/types.js";
import { encodeUtf8 } from "../format/utf8.js";
import { Chain } from "../connect/chain.js";
import { defaultsStep } from "../connect/defaults.js";
import { reach } from "../connect/reach.js";
import { serialDialogStep } from "../connect/serial-dialog.js";
import { smartConfigStep } from "../connect/smartconfig.js";
import { storedStep } from "../connect/stored.js";
import { Terminal } from "../connect/terminal.js";
import { OtaStatus } from "../ota/status.js";
import { reviewStart, Trial } from "../ota/trial.js";
import { Updater } from "../ota/updater.js";
import { setting } from "../pins/configuration.js";
import { OTA_STATUS_PIN, Pins, STARTUP_PIN } from "../pins/pins.js";
import { logLine } from "../protocol/log-line.js";
import type { Log } from "../protocol/log-line.js";
import { importDefaults } from "../store/defaults-record.js";
import { LogStore } from "../store/log-store.js";
import { noteUptime, readStart } from "../telemetry/causes.js";
import { addLedgerEntry, nextBoot } from "../telemetry/ledger.js";
import { Outbox } from "../telemetry/outbox.js";
import { Agent } from "./agent.js";
import type { AgentOptions } from "./agent.js";
import type { AppApi } from "./app-api.js";
import { targets } from "./membership.js";

/** Uptime is written down often at first, when restarts are likely, then rarely: flash wears. */
const NOTE_UPTIME_MS = [10_000, 60_000, 600_000];
const FEED_MS = 1_000;
const COMPARE_MS = 600_000;

/** Runs the firmware on `device`; the gadget's program gets its API. Returns at once. */
export function start(device: Device, config: AgentOptions["config"], app: (api: AppApi) => void): void {
  const { system, slots, timer, console } = device;
  system.mark("boot");
  const log: Log = (tag, text, level) =>
    console.write(encodeUtf8(logLine(system.uptimeMs(), tag, text, level)));

  const store = new LogStore({ flash: device.flash("broome") });
  const imported = importDefaults(store, device.resource("defaults.bin"));
  const trialOptions = { slots, system, timer, store, config, log };
  const began = reviewStart(trialOptions, readStart(store, system.resetCause()));
  const { cause, previousUptimeMs, note } = began;
  const boot = nextBoot(store);
  addLedgerEntry(store, [boot, cause, config.version, previousUptimeMs, note]);
  log("boot", `slot=${slots?.running().name ?? "factory"} version=${config.version} cause=${cause}`);
  if (note) log("boot", note);
  if (imported) log("defaults", imported);

  const pins = new Pins(store, log);
  const outbox = new Outbox(boot);
  const status = new OtaStatus({
    log,
    now: () => agent.now(),
    onPin: (json) => pins.report(OTA_STATUS_PIN, json),
  });
  const trial = new Trial(trialOptions, status);
  const terminal = new Terminal(console, timer);
  const chain = new Chain({
    ...{ station: device.station, timer, system, store, log },
    steps: [
      storedStep(store),
      defaultsStep(store),
      smartConfigStep(device.smartconfig, timer),
      serialDialogStep({
        ...{ terminal, station: device.station, store },
        serverUrl: () => targets(store, undefined)[0]?.url,
        reach: (host, port) => reach(device, host, port),
      }),
    ],
    onLost: (reason) => agent.onLost(reason),
  });
  const agent: Agent = new Agent({
    ...{ device, store, log, chain, outbox, pins, status, trial, config, boot },
    compare: (code) => compare(terminal, code),
    onClock() {
      const time = Math.round(agent.now() - system.uptimeMs());
      const report = {
        version: config.version,
        time,
        cause,
        previousUptimeMs,
        rssi: device.station.rssi() ?? 0,
      };
      pins.report(STARTUP_PIN, JSON.stringify(report));
    },
  });
  agent.updater = new Updater({
    ...{ crypto: device.crypto, flash: device.flash, slots, system, store, config, status },
    breathe: () => agent.breathe(),
  });
  trial.begin();

  timer.repeat(() => system.feedWatchdog(), FEED_MS);
  keepUptime(device, store, 0);
  try {
    app({
      telemetry: { add: (name, value) => outbox.add(system.uptimeMs(), name, value) },
      pins: { on: (pin, listener) => pins.on(pin, listener), write: (pin, value) => pins.write(pin, value) },
      config: { get: (name) => setting(store, name) },
      ...{ log, timer },
    });
  } catch (error) {
    log("app", String(error), "E"); // the gadget's own fault must not keep the update out that mends it
  }
  void agent.run();
}

function keepUptime(device: Device, store: LogStore, index: number): void {
  const ms = NOTE_UPTIME_MS[Math.min(index, NOTE_UPTIME_MS.length - 1)]!;
  device.timer.set(() => {
    noteUptime(store, device.system.uptimeMs());
    keepUptime(device, store, index + 1);
  }, ms);
}

/** The person at the device compares, where nothing else says that the server is the right one. */
async function compare(terminal: Terminal, code: string): Promise<boolean> {
  const prompt = `Does the server's page show ${code}? (y/n): `;
  const answer = await terminal.readLine({ prompt, firstMs: COMPARE_MS, idleMs: COMPARE_MS });
  return answer === "y" || answer === "Y" || answer === "yes";
}
