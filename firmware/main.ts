// Composition root: the only file that knows which platform it runs on.

import device from "device/all";
import config from "mc/config";
import { start } from "./agent/start.js";
import app from "./app/app.js";
import type { ImageConfig } from "./store/base.js";

function begin(): void {
  // By way of unknown: the SDK types `mc/config` as any members at all, we as those that a build gives.
  start(device, config as unknown as ImageConfig, app);
}

// A job of its own: the SDK imports this module synchronously, and has a third of the 256 slots on the stack then. A timer's turn
// would do as well, and has more frames of its own.
void Promise.resolve().then(begin);
