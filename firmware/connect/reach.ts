// Whether a server accepts a connection: the dialog's test of an address, before it is stored.

import type { Device, Tcp, TcpOptions, Timer } from "../device/types.js";

const REACH_MS = 10_000;

export interface ReachListener {
  /** Called once, with nothing else on the stack. */
  onReached(good: boolean): void;
}

/** Tries at once. */
export class Reach implements TcpOptions {
  address = "";
  readonly port: number;
  private readonly timer: Timer;
  private listener: ReachListener | undefined; // until it is over
  private limit: unknown;
  private socket: Tcp | undefined;

  constructor({ tcp, resolve, timer }: Device, host: string, port: number, listener: ReachListener) {
    this.port = port;
    this.timer = timer;
    this.listener = listener;
    this.limit = timer.set(() => this.end(false), REACH_MS);
    resolve(host, (address) => {
      if (!this.listener) return;
      if (address === undefined) return this.end(false);
      this.address = address;
      try {
        this.socket = tcp(this);
      } catch {
        this.end(false); // the network went
      }
    });
  }

  onReadable(): void {
    // whatever it says: it is there
  }

  onWritable(): void {
    this.end(true);
  }

  onError(): void {
    this.end(false);
  }

  private end(good: boolean): void {
    const { listener, timer } = this;
    if (!listener) return;
    this.listener = undefined;
    timer.clear(this.limit);
    this.socket?.close();
    timer.set(() => listener.onReached(good), 0);
  }
}
