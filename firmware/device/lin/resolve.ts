// `device/resolve` of a Linux process: the host's resolver.

import type { Resolve } from "../types.js";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const resolve: Resolve = (host, done) => void native("xs_broome_resolve").call(undefined, host, done);

export default resolve;
