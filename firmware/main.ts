// Composition root: the only file that knows which platform it runs on.

import device from "device/all";
import config from "mc/config";
import { start } from "./agent/start.js";
import app from "./app/app.js";
import type { ImageConfig } from "./store/base.js";

// By way of unknown: the SDK types `mc/config` as any members at all, we as those that a build gives.
start(device, config as unknown as ImageConfig, app);
