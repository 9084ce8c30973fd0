// `device/resolve` of the virtual platform: names become addresses at the board's network.

import type { Resolve } from "../types.js";
import { call, listen } from "./bus.js";

const resolve: Resolve = (host, done) => {
  const handle = call("resolve.lookup", host) as number;
  listen("resolve", handle, (_event, address) => {
    listen("resolve", handle, undefined);
    done((address ?? undefined) as string | undefined);
  });
};

export default resolve;
