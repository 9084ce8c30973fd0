// Composition root: the only file that knows which platform it runs on.

import device from "device/all";
import config from "mc/config";
import { start } from "./agent/start.js";
import app from "./app/app.js";

start(device, config, app);
