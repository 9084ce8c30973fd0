// `device/resolve` of the virtual platform: names become addresses at the board's network.

import type { Resolve } from "../types.js";
import { call, listen, LOOKUP, own, ownerOf, type BusValue } from "./bus.js";

type Done = (address: string | undefined) => void;

function resolved(handle: BusValue, address: BusValue): void {
  const done = ownerOf(LOOKUP, handle) as Done | undefined;
  own(LOOKUP, handle as number, undefined);
  done?.((address ?? undefined) as string | undefined);
}

const resolve: Resolve = (host, done) => {
  listen("resolve.done", resolved);
  own(LOOKUP, call("resolve.lookup", host) as number, done);
};

export default resolve;
