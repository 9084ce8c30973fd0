// The contract of the device seam (firmware/device/types.ts) as a firmware of its own: it tries every part on the platform that it was
// built for and says on the console what held. Node builds it for each platform that can run here and reads the lines.

import device from "device/all";
import { runContract } from "./suite.js";

void runContract(device);
