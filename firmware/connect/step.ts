// What the parts of the first-boot chain know of each other: chain.ts owns the radio, the steps ask for it.

import type { Address, ScanList } from "../device/types.js";
import type { Network } from "./networks.js";
import type { Attempt } from "./try-network.js";

export type StepName = "stored" | "defaults" | "smartconfig" | "serial" | "improv";

/** A network that somebody gives now: on trial until it has led to an address, only then stored. */
export interface Request {
  network: Network;
  from: StepName;
  /** Called once, with nothing else on the stack. */
  done(attempt: Attempt): void;
  /** True: after success nobody else is told that the device is online until `Radio.goOn`. */
  hold?: boolean;
}

/** What a step that asks somebody can do with the radio. */
export interface Radio {
  readonly online: boolean;
  /** Heard networks, as soon as the radio is free; undefined where the scan failed. */
  scan(done: (found: ScanList | undefined) => void): void;
  /** Tries a network before all others. While one is tried already, another is refused with `timeout`. */
  request(request: Request): void;
  /** After a request with `hold`: the person is done. */
  goOn(): void;
}

/** Who is told how the chain fares. */
export interface Watcher {
  /** Nothing that is known led anywhere: the radio is shared from now on. */
  onWaiting(): void;
  onOnline(address: Address, from: StepName): void;
  onLost?(): void;
}
