// DNS of a virtual board: literals, the world's own names, then the host's resolver, and nothing without an address.

import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import type { Clock } from "./clock.js";
import type { Post } from "./events.js";
import type { Radio } from "./radio.js";

export interface ResolverOptions {
  radio: Radio;
  clock: Clock;
  post: Post;
  hosts: Readonly<Record<string, string | null>>;
}

/** Looks up one name at a time per handle; an answer that comes after a reset is dropped. */
export class Resolver {
  private readonly options: ResolverOptions;
  private lastHandle = 0;
  private closed = false;

  constructor(options: ResolverOptions) {
    this.options = options;
  }

  lookup(host: string): number {
    this.lastHandle += 1;
    const handle = this.lastHandle;
    const release = this.options.clock.hold();
    void this.find(host).then((address) => {
      if (!this.closed) this.options.post(() => ["resolve.done", handle, address]);
      release();
    });
    return handle;
  }

  close(): void {
    this.closed = true;
  }

  private async find(host: string): Promise<string | undefined> {
    if (isIPv4(host)) return host;
    if (!this.options.radio.reachable) return undefined;
    const name = host.toLowerCase();
    if (Object.hasOwn(this.options.hosts, name)) return this.options.hosts[name] ?? undefined;
    if (name === "localhost") return "127.0.0.1";
    try {
      return (await lookup(name, { family: 4 })).address;
    } catch {
      return undefined; // every failure of DNS is one and the same to the board
    }
  }
}
