// One image for many boards: a row each, personalised, flashed, verified and logged, in the order in which boards are plugged in.

import type { Device } from "./devices-csv.js";
import type { ResultsLog } from "./results-log.js";

const ATTEMPTS = 3; // of a row
/** Errors of a port without a board: the next one has not been plugged in yet. */
const NOBODY = [
  "port-not-found",
  "port-busy",
  "port-permission",
  "port-lost",
  "no-answer",
  "not-a-bootloader",
];

/** What is no fault of a board: the series stops. */
const OURS = ["interrupted", "ABORT_ERR", "file-unwritable", "usage"];

/** The board that answers has its row already. */
export class BoardIsDone extends Error {
  readonly mac: string;

  constructor(mac: string) {
    super(`${mac} has its row already`);
    this.mac = mac;
  }
}

export interface SeriesOptions {
  devices: readonly Device[];
  log: ResultsLog;
  /**
   * Personalises, flashes and verifies whatever board answers. `onBoard` is called as soon as its MAC is known, before anything
   * changes; what it throws comes out again.
   */
  flash(device: Device, onBoard: (mac: string) => void): Promise<void>;
  /** Between a row's success and its line in the log: what is cut off here is done again with the row. */
  onFlashed?(device: Device, mac: string): void;
  say(text: string): void;
  /** Until it is worth looking for a board again. @throws the signal's reason */
  pause(): Promise<void>;
  now(): Date;
}

export interface SeriesResult {
  readonly done: string[]; // names
  /** Rows that were finished before. */
  readonly skipped: string[];
  readonly failed: string[];
}

/** Works through all rows that are not finished. @throws what is no fault of a board: the signal's reason, an unwritable log */
export async function runSeries(options: SeriesOptions): Promise<SeriesResult> {
  const { devices, log, say } = options;
  const result: SeriesResult = { done: [], skipped: [], failed: [] };
  for (const [index, device] of devices.entries()) {
    const { name } = device;
    if (log.macOf(name) !== undefined) {
      result.skipped.push(name);
      continue;
    }
    say(`${index + 1} of ${devices.length}: ${name}; waiting for a board`);
    const mac = await runRow(options, device);
    if (mac === undefined) result.failed.push(name);
    else {
      result.done.push(name);
      say(`${name} is ${mac}: done. Plug in the next board.`);
    }
  }
  return result;
}

/** The MAC of the board that has the row now; undefined when it was given up. */
async function runRow(options: SeriesOptions, device: Device): Promise<string | undefined> {
  const { log, say, pause, now } = options;
  let told = "";
  for (let attempt = 1; attempt <= ATTEMPTS;) {
    let mac: string | undefined;
    try {
      await options.flash(device, (answering) => {
        if (log.hasBoard(answering)) throw new BoardIsDone(answering);
        mac = answering;
      });
      options.onFlashed?.(device, mac!);
      log.append({ mac: mac!, result: "ok", at: now().toISOString(), name: device.name });
      return mac;
    } catch (error) {
      const { code } = error as { code?: unknown };
      const waits = error instanceof BoardIsDone || (mac === undefined && NOBODY.includes(String(code)));
      if (!waits && (typeof code !== "string" || OURS.includes(code))) throw error;
      const message = (error as Error).message;
      if (message !== told) say(waits ? `${message}; waiting for the next board` : message);
      told = message;
      if (!waits) {
        log.append({ mac: mac ?? "", result: code as string, at: now().toISOString(), name: device.name });
        attempt += 1;
      }
      await pause();
    }
  }
  return undefined;
}
