// What a step of the first-boot chain is: one file a step; chain.ts orders them.

import type { Address } from "../device/types.js";
import type { Attempt } from "./try-network.js";
import type { Network } from "./networks.js";

export interface StepResult {
  address?: Address;
  /** "online", or a reason of CONTRACT.md's vocabulary, with "(raw)" behind it where there is one. */
  reason: string;
}

/** What a step that asks somebody can do with the radio. */
export interface Radio {
  /** Tries a network. Waits on nothing else: each async function that waits costs the device 1.4 KB. */
  attempt(network: Network): Promise<Attempt>;
  /** After an attempt that led to an address: the network is remembered. */
  keep(network: Network, attempt: Attempt): void;
}

export interface Step {
  readonly name: "stored" | "defaults" | "smartconfig" | "serial";
  /** A step that knows networks: they are tried in order. */
  networks?(): Network[];
  /** One of them led to an address. */
  worked?(): void;
  /** A step that asks somebody, at most `patienceMs` unless that somebody is there. `pass` counts from 1. */
  ask?(radio: Radio, pass: number, patienceMs: number): Promise<StepResult>;
}
