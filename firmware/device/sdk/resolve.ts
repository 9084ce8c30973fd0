// `device/resolve` on the SDK's `net` module: lwIP asks the name servers that DHCP gave.

import * as module from "net";
import type { Resolve } from "../types.js";

interface SdkNet {
  resolve(host: string, done: (host: string, address: string | undefined) => void): void;
}

const resolve: Resolve = (host, done) =>
  (module.default as unknown as SdkNet).resolve(host, (_host, address) => done(address));

export default resolve;
