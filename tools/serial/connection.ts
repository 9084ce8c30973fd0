// A TCP connection as both network ports use it: named errors on connect, writes that end, one report of its end.

import { connect, type Socket } from "node:net";
import { openError, portNotFound } from "./error.js";

const CONNECT_TIMEOUT_MS = 10_000;
const HANG_UP_TIMEOUT_MS = 500;

/** Host and port of `scheme://host:port`. @throws PortError `port-not-found` when there is no port in it. */
export function parseAddress(name: string): { host: string; port: number } {
  let url: URL;
  try {
    url = new URL(name);
  } catch (error) {
    throw portNotFound(name, "not a URL", error);
  }
  const port = Number(url.port);
  if (!url.hostname || !(port > 0)) throw portNotFound(name, "expected scheme://host:port");
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port };
}

/** Connects, without delay of small packets. @throws PortError `port-not-found` */
export function connectTo(name: string): Promise<Socket> {
  const { host, port } = parseAddress(name);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => fail(new Error("no answer")), CONNECT_TIMEOUT_MS);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(openError(name, error));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

/** Resolves when the system has taken the bytes; `lost` makes the error of a socket that has gone. */
export function writeTo(socket: Socket, bytes: Uint8Array, lost: (why: string) => Error): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed || socket.writableEnded) return reject(lost("the connection is closed"));
    socket.write(bytes, (error) => (error ? reject(lost(error.message)) : resolve()));
  });
}

/** Ends the connection; resolves when the other end has seen that, so that the port is free for the next client. */
export function hangUp(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(() => socket.destroy(), HANG_UP_TIMEOUT_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume(); // the other end's FIN comes behind its data
    socket.end();
  });
}
