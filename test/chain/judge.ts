// What must be true of every run, whatever happened in it.

import { loadNetworks, ssidText } from "../../firmware/connect/networks.js";
import { home, knowsTheWay, restoredMs, type Case } from "./matrix.js";
import type { Run } from "./rig.js";

export const PROMISE_MS = 75_000;
const REASON = /^(online|none|not-available|(wrong-password|not-found|no-address|timeout)( \(\d+\))?)$/;

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
  if (onlineMs === undefined) return [`not online ${PROMISE_MS} ms after the router was back`];
  const ms = onlineMs - restoredMs(one);
  return ms > PROMISE_MS ? [`online only ${ms} ms after the router was back`] : [];
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

/** One reason of the vocabulary for every failure; the dialog says the same as the log. */
function strangeReasons({ said }: Run): string[] {
  const faults: string[] = [];
  const failures: string[] = [];
  for (const line of said.split("\n")) {
    const [, result] = /chain: step=\S+ result=(.*) ms=\d+/.exec(line) ?? [];
    if (result !== undefined && !REASON.test(result)) faults.push(`result "${result}"`);
    const [, reason] = /wifi: ".*" failed: (.*)/.exec(line.trimEnd()) ?? [];
    if (reason !== undefined) failures.push(reason);
    if (reason !== undefined && !REASON.test(reason)) faults.push(`reason "${reason}"`);
    const [, told] = /^(?:The|That|It) .*\. \[([a-z-]+(?: \(\d+\))?)\]$/.exec(line.trimEnd()) ?? [];
    if (told !== undefined && told !== failures.at(-1))
      faults.push(`dialog "${told}", log "${failures.at(-1)}"`);
  }
  return faults;
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
