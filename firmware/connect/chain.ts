// The first-boot chain: stored, defaults, SmartConfig, serial dialog, in passes for ever, until one of them is online.

import type { Address, Station, System, Timer } from "../device/types.js";
import { backoffMs } from "../link/wait.js";
import { masked, type Log } from "../protocol/log-line.js";
import { isFresh, NETWORK_PART } from "../store/defaults-record.js";
import type { LogStore } from "../store/log-store.js";
import { loadNetworks, networkFault, rememberNetwork, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import type { Pass, Step, StepResult } from "./step.js";
import { tryNetwork } from "./try-network.js";
import type { Attempt, Limits } from "./try-network.js";

/** First pass; later ones give a slow router three times as long for the address. */
const ASSOCIATION_MS = 20_000;
const ADDRESS_MS = 10_000;
const LATER_ADDRESS_MS = 30_000;
/** Time for a person in each pass, growing with the passes. */
const FIRST_PATIENCE_MS = 5_000;
const MOST_PATIENCE_MS = 60_000;

export interface ChainOptions {
  station: Station;
  timer: Timer;
  system: System;
  store: LogStore;
  log: Log;
  steps: readonly Step[]; // in order
  /** The connection that `connect` made has ended. */
  onLost(reason: string): void;
}

export class Chain {
  private readonly options: ChainOptions;

  constructor(options: ChainOptions) {
    this.options = options;
  }

  /** SSID of the last network that led to an address, for people. */
  ssid = "";

  /** Goes through the steps until one is online. Never gives up, and never erases credentials. */
  async connect(): Promise<Address> {
    for (let number = 1; ; number += 1) {
      for (const step of this.ordered(number)) {
        const { address } = await this.run(step, this.pass(number));
        if (address) return address;
      }
    }
  }

  /** A defaults block that has never worked comes before what is stored; it must not lock the owner out twice. */
  private ordered(number: number): readonly Step[] {
    const { steps, store } = this.options;
    const [stored, defaults, ...rest] = steps;
    if (number > 1 || stored?.name !== "stored" || defaults?.name !== "defaults") return steps;
    const first = isFresh(store, NETWORK_PART) && loadNetworks(store).length > 0;
    return first ? [defaults, stored, ...rest] : steps;
  }

  private pass(number: number): Pass {
    const limits = { associationMs: ASSOCIATION_MS, addressMs: number === 1 ? ADDRESS_MS : LATER_ADDRESS_MS };
    return {
      number,
      patienceMs: backoffMs(number, FIRST_PATIENCE_MS, MOST_PATIENCE_MS),
      attempt: (network) => this.attempt(network, limits),
    };
  }

  private async run(step: Step, pass: Pass): Promise<StepResult> {
    const { system, log } = this.options;
    const started = system.uptimeMs();
    const result = await step.run(pass);
    log("chain", `step=${step.name} result=${result.reason} ms=${Math.round(system.uptimeMs() - started)}`);
    return result;
  }

  private async attempt(network: Network, limits: Limits): Promise<Attempt> {
    const { log, store, onLost } = this.options;
    const fault = networkFault(network);
    if (fault) return { address: undefined, reason: "none" };
    const secret = network.password === "" ? "open" : `password ${masked(network.password)}`;
    log("wifi", `joining "${ssidText(network.ssid)}", ${secret}`);
    const attempt = await tryNetwork(this.options, network, limits, onLost);
    if (attempt.address) {
      log("wifi", `address ${attempt.address.address}, gateway ${attempt.address.gateway}`);
      this.ssid = ssidText(network.ssid);
      rememberNetwork(store, network);
    }
    return attempt;
  }
}
