// What must be true of every run, whatever happened in it.

import { loadNetworks, ssidText } from "../../firmware/connect/networks.js";
import { FrameType, ImprovError } from "../../firmware/protocol/improv.js";
import { ImprovParser } from "../../firmware/protocol/improv-parser.js";
import { wrongLight } from "./light.js";
import { home, knowsTheWay, promiseMs, reachesServer, restoredMs, type Case } from "./matrix.js";
import type { Run } from "./running.js";

const FAILURE = /^(wrong-password|not-found|no-address|timeout)( \(\d+\))?$/;
const REASON = new RegExp(`^(online|none|not-available)$|${FAILURE.source}`);

/** A power cut: in the n-th operation on the store, of a run that is like `whole` until then. */
export interface Cut {
  at: number;
  whole: Run;
}

/** What is wrong with it; nothing where all is well. */
export function faultsOf(one: Case, run: Run, cut?: Cut): string[] {
  return [
    ...crashes(run),
    ...lateness(one, run),
    ...lostCredentials(run),
    ...unprovenCredentials(run),
    ...strangeReasons(run),
    ...otherReasons(one, run),
    ...wrongLight(run),
    ...(cut ? halfValues(run, cut) : []),
  ];
}

function crashes({ said }: Run): string[] {
  const crash = /Guru Meditation[^\r\n]*|task_wdt[^\r\n]*/.exec(said);
  return crash ? [crash[0]] : [];
}

/** Whoever knows the way is online in time once the router is as it should be; and so is whoever has been. */
function lateness(one: Case, run: Run): string[] {
  const { said, onlineMs } = run;
  const way = knowsTheWay(one) || /step=(serial|improv) result=online/.test(said);
  if (!way) return onlineMs === undefined ? [] : [`online at ${onlineMs} without knowing the way`];
  if (onlineMs === undefined) return [`not online ${promiseMs(one)} ms after the router was back`];
  // What only somebody at the UART knows, a board that was switched off has to be told again.
  const [, on = "0"] = (!knowsTheWay(one) && /.*--- power-on at (\d+)/s.exec(said)) || [];
  const ms = onlineMs - Math.max(restoredMs(one), Number(on));
  return ms > promiseMs(one) ? [`online only ${ms} ms after the router was back`] : [];
}

function known(store: Run["final"]): [string, string][] {
  return loadNetworks(store).map(({ ssid, password }) => [ssidText(ssid), password]);
}

/** What ever worked is there still, but for a password that a working one replaced, or the oldest of eight. */
function lostCredentials({ initial, final }: Run): string[] {
  const after = known(final);
  return known(initial)
    .filter(([ssid, password]) => !after.some(([s, p]) => s === ssid && p === password))
    .filter(([ssid]) => !after.some(([s, p]) => s === ssid && s === home.ssid && p === home.password))
    .map(([ssid]) => `lost the credentials of ${ssid}`);
}

/** What is new is what led to an address. */
function unprovenCredentials({ initial, final, said }: Run): string[] {
  const before = known(initial);
  return known(final)
    .filter(([ssid, password]) => !before.some(([s, p]) => s === ssid && p === password))
    .filter(([ssid, password]) => {
      const good = ssid === home.ssid && password === home.password;
      return !good || !/wifi: address /.test(said);
    })
    .map(([ssid]) => `stored unproven credentials of ${ssid}`);
}

/** One reason of the vocabulary for every failure: the log, the chain's steps, the dialog and Improv say the same. */
function strangeReasons({ said }: Run): string[] {
  return said.split(/--- power-on/).flatMap((start) => new Reasons(start).faults);
}

/** What one start said of its attempts. */
class Reasons {
  readonly faults: string[] = [];
  private joining = 0; // attempts of which the end was not told
  private failure: string | undefined; // the last one's
  /** Improv's last request failed, and has not been told so. */
  private owed = false;

  constructor(said: string) {
    let line = "";
    const parser = new ImprovParser({
      onText: (byte) => {
        if (byte !== 0x0a) line += String.fromCharCode(byte);
        else {
          this.take(line.trimEnd());
          line = "";
        }
      },
      onFrame: (type, data) => this.frame(type, data),
      onBadFrame: () => this.faults.push("a frame of Improv that is none"),
    });
    for (const byte of Buffer.from(said, "latin1")) parser.push(byte);
    if (this.owed) this.faults.push("Improv was not told of a failure");
  }

  private take(line: string): void {
    if (/wifi: joining /.test(line)) this.joining = 1; // one before it was broken off
    const [, failed] = /wifi: ".*" failed: (.*)/.exec(line) ?? [];
    if (failed !== undefined) this.failed(failed);
    const [, step, result] = /chain: step=(\S+) result=(.*) ms=\d+/.exec(line) ?? [];
    if (result !== undefined) this.result(step!, result);
    const [, told] = /^(?:The|That|It) .*\. \[([a-z-]+(?: \(\d+\))?)\]$/.exec(line) ?? [];
    if (told !== undefined && told !== this.failure)
      this.faults.push(`dialog "${told}", log "${this.failure}"`);
  }

  private failed(reason: string): void {
    if (!REASON.test(reason)) this.faults.push(`reason "${reason}"`);
    if (this.joining === 0) this.faults.push(`a second reason of one attempt: "${reason}"`);
    this.joining = 0;
    this.failure = reason;
  }

  private result(step: string, result: string): void {
    if (!REASON.test(result)) this.faults.push(`result "${result}"`);
    const attempted = ["serial", "improv", "smartconfig"].includes(step) && FAILURE.test(result);
    if (!attempted) return;
    // A slice in which nothing was heard, and a dialog that was left, were no attempts.
    if (step === "smartconfig" && result === "timeout") return;
    if (result !== this.failure) this.faults.push(`${step} "${result}", log "${this.failure}"`);
    if (step === "improv") this.owed = true;
  }

  private frame(type: number, data: Uint8Array): void {
    if (type === FrameType.error && data[0] === ImprovError.unableToConnect) this.owed = false;
  }
}

/** What the owner reads at the server is what the board said here: of its last attempt that failed since it was started, if any. */
function otherReasons(one: Case, { server, said, onlineMs }: Run): string[] {
  if (!server) return [];
  const { heard, complaints } = server;
  const faults = complaints.map((complaint) => `the server: ${complaint}`);
  if (onlineMs === undefined && heard.length === 0) return faults;
  if (!reachesServer(one))
    return heard.length === 0 ? faults : [...faults, "the server heard through the wall"];
  if (heard.length === 0) return [...faults, "the server heard nothing"];
  const atEnd = onlineMs === undefined ? [] : [{ at: said.length, failure: heard.at(-1)!.failure }]; // it is so still
  const told = [...heard, ...atEnd];
  const other = told.find(({ at, failure }) => failure !== failureIn(said.slice(0, at)));
  if (other) faults.push(`server "${other.failure}", log "${failureIn(said.slice(0, other.at))}"`);
  return faults;
}

/** "" for none. */
function failureIn(said: string): string {
  const start = said.slice(said.lastIndexOf("--- power-on"));
  return [...start.matchAll(/wifi: ".*" failed: (.*?)\r?\n/g)].at(-1)?.[1] ?? "";
}

/** After a power cut every key holds what it held before the operation, or what it was about to hold; nothing else. */
function halfValues({ beforeCut, afterCut }: Run, { at, whole }: Cut): string[] {
  if (!beforeCut || !afterCut) return []; // a run with fewer operations: it was cut nowhere
  return afterCut.flatMap((value, key) =>
    value === beforeCut[key] || whole.states.some((state) => state[key] === value)
      ? []
      : [`key ${key} holds neither its old value nor its new one after a cut in operation ${at}`],
  );
}
