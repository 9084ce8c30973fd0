// The checks of the first-boot chain: what it tries, what it stores, Improv, the button and the LED.

import type { Mutant } from "./mutants.js";

const row = (name: string, file: string, find: string, replace: string, tests: string[]): Mutant => ({
  ...{ name: `first boot: ${name}`, file: `firmware/connect/${file}.ts`, find, replace },
  tests: tests.map((test) => `test/firmware/connect/${test}.test.ts`),
});
const chain = (name: string, find: string, replace: string) => row(name, "chain", find, replace, ["chain"]);
const improv = (name: string, find: string, replace: string) =>
  row(name, "improv", find, replace, ["improv"]);
const panel = (name: string, find: string, replace: string) => row(name, "panel", find, replace, ["panel"]);

export const connectMutants: readonly Mutant[] = [
  row(
    "what failed is not stored",
    "chain",
    'if (request || this.phase !== "pass") this.say(step, attempt.reason, this.triedMs);',
    "if (request) rememberNetwork(this.base.store, network);",
    ["smartconfig"],
  ),
  chain("elsewhere than last time", "this.plan.unshift(known);", ""),
  chain(
    "known networks after a phone's",
    "this.plan = knownNetworks(this.base.store, false);",
    'if (typeof result === "string") this.plan = knownNetworks(this.base.store, false);',
  ),
  chain("each has its turn", "this.turn += 1;", ""),
  chain("a failure is noted", "noteFailure(this.base.store, known.ssid, reason);", ""),
  row("a reason is written once", "network-notes", " || record![at + 15] === reason", "", ["networks"]),
  chain("patched defaults that worked", 'if (step === "defaults") markWorked(store, NETWORK_PART);', ""),
  row(
    "a slice is held to its end where nothing is known",
    "smartconfig",
    " || this.listener.knowsNothing",
    "",
    ["chain"],
  ),
  row(
    "a slice is held 45 s where a network is known",
    "smartconfig",
    "system.uptimeMs() - this.startedMs < HELD_SLICE_MS",
    "true",
    ["chain"],
  ),
  row("a new block is on trial", "known-networks", "if (!trial || !isFresh", "if (!isFresh", ["chain"]),
  row(
    "a network is kept once",
    "networks",
    "if (sameBytes(old.subarray(at + 1, at + 1 + old[at]!), ssid)) continue;",
    "",
    ["networks"],
  ),
  row("eight are kept", "networks", "kept < MAX_NETWORKS &&", "", ["networks"]),
  row(
    "an address is waited for",
    "try-network",
    'timer.clear(this.timer);\n    this.timer = timer.set(() => this.end(undefined, "no-address")',
    "timer.clear(this.timer);\n    this.timer = timer.set(() => undefined",
    ["chain"],
  ),
  improv("credentials that cannot be", "if (!network || networkFault(network))", "if (!network)"),
  improv("a password that is no text", "text === printable(text) ? text : undefined", "text"),
  improv("host names", "if (isHost && !isHostName(text))", "if (false)"),
  improv("the reason is told", "if (!address) this.tellError(ImprovError.unableToConnect);", ""),
  panel("a press counts for 5 s", "!this.asked && this.pressedMs <= PRESS_MS", "!this.asked"),
  panel("15 s, not a press", "nowMs - this.pressedMs >= FORGET_MS", "nowMs > this.pressedMs"),
  panel(
    "no restart while it is held",
    "if (released && this.uptimeMs() - forgottenMs >= CONFIRM_MS)",
    "if (this.uptimeMs() - forgottenMs >= CONFIRM_MS)",
  ),
  panel("the networks go", "store.delete(NETWORKS);", ""),
  panel(
    "the LED confirms",
    'this.forgottenMs === undefined ? this.chain.phase : "forgotten"',
    "this.chain.phase",
  ),
  panel("an LED that is lit by low", "lit === (ledOn === 1)", "lit"),
];
