// Step 2 of the chain: the network that the owner patched into the image (DESIGN.md, decision 5).

import { encodeUtf8 } from "../format/utf8.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import type { LogStore } from "../store/log-store.js";
import { networkFault } from "./networks.js";
import type { Known } from "./plan.js";

export function defaultNetwork(store: LogStore): Known | undefined {
  const values = defaultValues(store);
  const ssid = textDefault(values, "wifi.ssid");
  if (ssid === undefined) return undefined;
  const password = textDefault(values, "wifi.password") ?? "";
  const network: Known = { ssid: encodeUtf8(ssid), password, step: "defaults", rank: 0 };
  return networkFault(network) ? undefined : network;
}
