// Opens a port by its name: a URL is a port behind the network, anything else one of this computer.

import { portNotFound } from "./error.js";
import type { OpenPort } from "./port.js";
import { openRfc2217 } from "./rfc2217.js";
import { openSocket } from "./socket.js";

/** @throws PortError `port-not-found`, `port-busy`, `port-permission`, `no-answer` */
export const openPort: OpenPort = async (name, options) => {
  if (name.startsWith("rfc2217://")) return openRfc2217(name, options);
  if (name.startsWith("socket://")) return openSocket(name, options);
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(name);
  if (scheme) throw portNotFound(name, `"${scheme[1]}" is not a kind of port (rfc2217, socket)`);
  const { openLocal } = await import("./node.js"); // a native module: loaded only where it is used
  return openLocal(name, options);
};
