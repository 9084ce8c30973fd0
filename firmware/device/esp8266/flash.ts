// `device/flash` of the ESP8266: 64 KB of the SPIFFS area. There is one slot, so no other. The SDK's own files (`file` module) would
// lie in the same area: they must not be used with it.

import * as module from "flash";
import { fault } from "../sdk/fault.js";
import { NorRegion, type SdkFlash } from "../sdk/nor-region.js";
import type { OpenFlash } from "../types.js";
import { STORAGE_START, STORE_SIZE, STORE_START } from "./store-region.js";

const Partition = module.default as unknown as new (name: string) => SdkFlash;

const open: OpenFlash = (region) => {
  if (region !== "broome") throw fault("ota-not-supported", `there is no region "${region}"`);
  return new NorRegion(new Partition("storage"), { offset: STORE_START - STORAGE_START, size: STORE_SIZE });
};

export default open;
