// The network side of the device seam over Node, so that the firmware's clients can be tested against real sockets.

import { lookup } from "node:dns";
import { connect } from "node:net";
import type { OpenTcp, Resolve, Timer } from "../../firmware/device/types.js";

/** As a board's socket grants it: less than a request may be long, so that splitting is exercised. */
const SEND_ROOM = 512;

export const tcp: OpenTcp = (options) => {
  const arrived: Buffer[] = [];
  let closed = false;
  let room = 0;
  const socket = connect({ host: options.address, port: options.port, noDelay: true });
  const grant = () => {
    if (closed || socket.destroyed) return;
    room = SEND_ROOM;
    options.onWritable(room);
  };
  const failed = (why: "closed" | "error") => {
    if (!closed) options.onError(why);
  };
  socket.on("connect", grant);
  socket.on("data", (bytes) => {
    if (closed) return;
    arrived.push(bytes);
    options.onReadable(arrived.reduce((sum, part) => sum + part.length, 0));
  });
  socket.on("end", () => failed("closed"));
  socket.on("error", () => failed("error"));
  return {
    read(limit = Infinity) {
      if (closed) throw new Error("read after close");
      const first = arrived.shift();
      if (!first) return undefined;
      if (first.length > limit) arrived.unshift(first.subarray(limit));
      return new Uint8Array(first.subarray(0, Math.min(limit, first.length)));
    },
    write(bytes) {
      if (closed) throw new Error("write after close");
      if (bytes.length > room) throw Object.assign(new Error("output full"), { code: "output-full" });
      room -= bytes.length;
      socket.write(Uint8Array.from(bytes), () => room === 0 && grant());
    },
    close() {
      if (closed) return;
      closed = true;
      socket.destroy();
    },
  };
};

export const resolve: Resolve = (host, done) =>
  lookup(host, { family: 4 }, (error, address) => done(error ? undefined : address));

export const timer: Timer = {
  set: (callback, ms) => setTimeout(callback, ms),
  repeat: (callback, ms) => setInterval(callback, ms),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout | undefined),
};
