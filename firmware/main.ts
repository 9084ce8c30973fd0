// Composition root: the only file that knows which platform it runs on.

import console from "device/console";
import slots from "device/slots";
import system from "device/system";
import config from "mc/config";
import { encodeUtf8 } from "./format/utf8.js";

const slot = slots ? slots.running().name : "factory";
const line = `I (${system.uptimeMs()}) boot: slot=${slot} version=${config.version} cause=${system.resetCause()}\n`;
console.write(encodeUtf8(line));
