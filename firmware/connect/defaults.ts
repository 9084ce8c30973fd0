// Step 2 of the chain: the network that the owner patched into the image (DESIGN.md, decision 5).

import { encodeUtf8 } from "../format/utf8.js";
import { defaultValues, markWorked, NETWORK_PART, textDefault } from "../store/defaults-record.js";
import type { LogStore } from "../store/log-store.js";
import { networkFault } from "./networks.js";
import type { Network } from "./networks.js";
import type { Step } from "./step.js";

export function defaultNetwork(store: LogStore): Network | undefined {
  const values = defaultValues(store);
  const ssid = textDefault(values, "wifi.ssid");
  if (ssid === undefined) return undefined;
  const network = { ssid: encodeUtf8(ssid), password: textDefault(values, "wifi.password") ?? "" };
  return networkFault(network) ? undefined : network;
}

export class DefaultsStep implements Step {
  readonly name = "defaults";
  private readonly store: LogStore;

  constructor(store: LogStore) {
    this.store = store;
  }

  networks(): Network[] {
    const network = defaultNetwork(this.store);
    return network ? [network] : [];
  }

  worked(): void {
    markWorked(this.store, NETWORK_PART);
  }
}
