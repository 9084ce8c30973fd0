// `device/flash` of the ESP8266: the first 64 KB of the SPIFFS area, which the SDK's `flash` module calls "storage". There is one
// slot, so no other. The SDK's own files (`file` module) would lie in the same area: they must not be used with it.

import * as module from "flash";
import { fault } from "../sdk/fault.js";
import { NorRegion, type SdkFlash } from "../sdk/nor-region.js";
import type { OpenFlash } from "../types.js";

const Partition = module.default as unknown as new (name: string) => SdkFlash;

/** As much as on the ESP32: the store keeps some bytes of RAM for each sector, and the whole area has 760. */
const STORE_SIZE = 0x10000; // bytes

const open: OpenFlash = (region) => {
  if (region !== "broome") throw fault("ota-not-supported", `there is no region "${region}"`);
  return new NorRegion(new Partition("storage"), { size: STORE_SIZE });
};

export default open;
