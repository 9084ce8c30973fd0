// Whether a server accepts a connection: the dialog's test of an address, before it is stored.

import type { Device } from "../device/types.js";

const REACH_MS = 10_000;

export function reach({ tcp, resolve, timer }: Device, host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    let close: (() => void) | undefined;
    let over = false;
    const end = (good: boolean) => {
      if (over) return;
      over = true;
      timer.clear(limit);
      close?.();
      done(good);
    };
    const limit = timer.set(() => end(false), REACH_MS);
    resolve(host, (address) => {
      if (over) return;
      if (address === undefined) return end(false);
      const socket = tcp({
        address,
        port,
        onReadable: () => undefined,
        onWritable: () => end(true),
        onError: () => end(false),
      });
      close = () => socket.close();
    });
  });
}
