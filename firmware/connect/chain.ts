// The first-boot chain: stored, defaults, SmartConfig, serial dialog, in passes for ever, until one of them is online.

import type { Address } from "../device/types.js";
import { backoffMs } from "../link/backoff.js";
import { masked } from "../protocol/log-line.js";
import type { Base } from "../store/base.js";
import { isFresh, NETWORK_PART } from "../store/defaults-record.js";
import { loadNetworks, rememberNetwork, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import type { Radio, Step, StepResult } from "./step.js";
import { tryNetwork } from "./try-network.js";
import type { Attempt, LossListener } from "./try-network.js";

/** First pass; later ones give a slow router three times as long for the address. */
const ASSOCIATION_MS = 20_000;
const ADDRESS_MS = 10_000;
const LATER_ADDRESS_MS = 30_000;
/** Time for a person in each pass, growing with the passes. */
const FIRST_PATIENCE_MS = 5_000;
const MOST_PATIENCE_MS = 60_000;

export interface ChainListener extends LossListener {
  onOnline(address: Address): void;
}

export class Chain implements Radio {
  /** SSID of the last network that led to an address, for people. */
  ssid = "";
  private readonly base: Base;
  private readonly steps: readonly Step[];
  private listener: ChainListener | undefined;
  private pass = 0;

  /** Steps in order: stored and defaults first. */
  constructor(base: Base, steps: readonly Step[]) {
    this.base = base;
    this.steps = steps;
  }

  /** Goes through the steps until one is online. Never gives up, and never erases credentials. */
  async connect(listener: ChainListener): Promise<void> {
    const { device, log } = this.base;
    this.listener = listener;
    for (this.pass = 1; ; this.pass += 1) {
      await undefined; // an empty stack, as below
      for (const step of this.ordered()) {
        await undefined; // XS's stack holds 256 slots, some 8 calls of async functions: a step begins on an empty one
        const started = device.system.uptimeMs();
        let result: StepResult = { reason: "none" };
        if (step.ask)
          result = await step.ask(this, this.pass, backoffMs(this.pass, FIRST_PATIENCE_MS, MOST_PATIENCE_MS));
        for (const network of step.networks?.() ?? []) {
          const attempt = await this.attempt(network);
          result = attempt;
          if (!attempt.address) continue;
          this.keep(network, attempt);
          step.worked?.();
          break;
        }
        log(
          "chain",
          `step=${step.name} result=${result.reason} ms=${Math.round(device.system.uptimeMs() - started)}`,
        );
        if (result.address) return listener.onOnline(result.address);
      }
    }
  }

  attempt(network: Network): Promise<Attempt> {
    const secret = network.password === "" ? "open" : `password ${masked(network.password)}`;
    this.base.log("wifi", `joining "${ssidText(network.ssid)}", ${secret}`);
    const addressMs = this.pass === 1 ? ADDRESS_MS : LATER_ADDRESS_MS;
    return tryNetwork(this.base, network, { associationMs: ASSOCIATION_MS, addressMs }, this.listener!);
  }

  keep(network: Network, { address }: Attempt): void {
    this.base.log("wifi", `address ${address!.address}, gateway ${address!.gateway}`);
    this.ssid = ssidText(network.ssid);
    try {
      rememberNetwork(this.base.store, network);
    } catch (error) {
      this.base.log("wifi", `not stored: ${(error as Error).message}`, "E"); // online all the same
    }
  }

  /** A defaults block that has never worked comes before what is stored, once: success makes it current. */
  private ordered(): readonly Step[] {
    const { steps } = this;
    const { store } = this.base;
    const first = this.pass === 1 && isFresh(store, NETWORK_PART) && loadNetworks(store).length > 0;
    return first ? [steps[1]!, steps[0]!, ...steps.slice(2)] : steps;
  }
}
