// What every part above stands on. One object for all of them: in XS each closure or copied option costs the device 100 bytes.

import type { Device } from "../device/types.js";
import type { Log } from "../protocol/log-line.js";
import type { UpdateKey } from "../protocol/update-manifest.js";
import type { LogStore } from "./log-store.js";

/** What this image is: the module `mc/config`. */
export interface ImageConfig {
  readonly product: string;
  readonly version: string;
  readonly chip: string;
  readonly layout: string;
  readonly sc: number; // security counter
  readonly updateKeys: readonly UpdateKey[]; // empty: updates are off
  /** GPIO of the button, low while it is pressed; undefined: there is none. */
  readonly button?: number;
  /** GPIO of the LED, and the level at which it is lit (default 1); undefined: there is none. */
  readonly led?: number;
  readonly ledOn?: 0 | 1;
  /** In place of the pin of every server address. */
  readonly serverPin?: string;
}

export interface Base {
  readonly device: Device;
  readonly store: LogStore;
  readonly log: Log;
  readonly config: ImageConfig;
}
