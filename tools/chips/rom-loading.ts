// What the ROMs since the ESP32-S2 print while they load a bootloader (seen in people's logs of an ESP32-C3, ESP32-S3 and ESP32-C6).

import type { StartText } from "./chip.js";

export const newLoading: StartText["loading"] = {
  before: ["SPIWP:0xee", "mode:{flashMode}, clock div:{divider}"],
  segment: ["load:{address},len:{lengthHex}"],
  after: ["entry {entry}"],
};
