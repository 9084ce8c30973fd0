// `device/smartconfig` of the virtual platform: not there yet; the chain says `not-available`.

import type { SmartConfig } from "../types.js";

const smartconfig = undefined as SmartConfig | undefined;

export default smartconfig;
