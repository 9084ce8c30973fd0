// Composition root: the only file that knows which platform it runs on.

import console from "device/console";
import crypto from "device/crypto";
import flash from "device/flash";
import gpio from "device/gpio";
import resolve from "device/resolve";
import resource from "device/Resource";
import slots from "device/slots";
import smartconfig from "device/smartconfig";
import station from "device/station";
import system from "device/system";
import tcp from "device/tcp";
import timer from "device/timer";
import config from "mc/config";
import { start } from "./agent/start.js";
import app from "./app/app.js";

const device = {
  ...{ console, crypto, flash, gpio, resolve, resource, slots, smartconfig },
  ...{ station, system, tcp, timer },
};

start(device, config, app);
