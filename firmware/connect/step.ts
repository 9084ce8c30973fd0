// What a step of the first-boot chain is: one file a step; chain.ts orders them.

import type { Address } from "../device/types.js";
import type { Attempt } from "./try-network.js";
import type { Network } from "./networks.js";

export interface Pass {
  number: number; // from 1
  /** How long a step may wait for a person before the networks are tried again. */
  patienceMs: number;
  /** Tries a network; one that leads to an address is remembered. */
  attempt(network: Network): Promise<Attempt>;
}

export interface StepResult {
  address?: Address;
  /** "online", or a reason of CONTRACT.md's vocabulary, with "(raw)" behind it where there is one. */
  reason: string;
}

export interface Step {
  readonly name: "stored" | "defaults" | "smartconfig" | "serial";
  run(pass: Pass): Promise<StepResult>;
}
