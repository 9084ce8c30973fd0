// `device/slots` of the ESP8266: none. Moddable SDK 8.2.3 has no update over the air for this chip: its image is linked to run
// at one place (0x1000), and there is no boot loader that would choose. 10.0.2 brings one (two slots of 1 MB): it belongs here.
// Until then an update is refused as `not-available`, and everything else works.

import type { Slots } from "../types.js";

const slots = undefined as Slots | undefined;

export default slots;
