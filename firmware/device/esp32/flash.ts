// `device/flash` of the ESP32: partitions by the SDK's `flash` module.

import * as module from "flash";
import { NorRegion, type SdkFlash } from "../sdk/nor-region.js";
import type { OpenFlash } from "../types.js";

const Partition = module.default as unknown as new (name: string) => SdkFlash;

/** "broome" is the label in partitions.csv, the other names are the SDK's. */
const open: OpenFlash = (region) => {
  if (region === "broome") return new NorRegion(new Partition("broome"));
  if (region === "running") return new NorRegion(new Partition("running"), { readOnly: true });
  return new NorRegion(new Partition("nextota"));
};

export default open;
