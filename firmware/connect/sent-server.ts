// The server that a phone named in ESP-Touch v2's reserved data: tried before it is stored, as one of the dialog's is, and stored
// beside what worked until it has worked itself.

import type { TouchCredentials } from "../device/types.js";
import { parseReserved } from "../protocol/reserved-data.js";
import type { ReservedData } from "../protocol/reserved-data.js";
import { formatServerUrl } from "../protocol/server-url.js";
import type { Base } from "../store/base.js";
import { setRecord } from "../store/json-record.js";
import { SENT_SERVER } from "../store/keys.js";
import { reach } from "./reach.js";
import { touchKey } from "./smartconfig.js";

/** What was sent; it goes until that server took the device. */
export interface SentEntry {
  url: string;
  key: string; // join key, or ""
}

/**
 * What may be believed of the reserved data; undefined where that is nothing. Whoever is near can send what is in the clear: from
 * there a join key is never taken, and nothing at all where the device has an ESP-Touch key of its owner.
 */
export function readSent({ log, store }: Base, heard: TouchCredentials): ReservedData | undefined {
  const { reserved, encrypted } = heard;
  if (!reserved || reserved.length === 0) return undefined;
  const ignore = (why: string) => void log("smartconfig", `reserved data is ignored: ${why}`, "W");
  try {
    const sent = parseReserved(reserved);
    if (encrypted) return sent;
    if (touchKey(store) !== undefined) return ignore("it came in the clear, and this device has a key");
    if (sent.joinKey !== undefined) log("smartconfig", "join key is ignored: it came in the clear", "W");
    return { server: sent.server, joinKey: undefined };
  } catch (error) {
    return ignore((error as Error).message);
  }
}

/** Stores the server if it accepts a connection, then calls `done`, with nothing else on the stack. */
export function trySent(base: Base, { server, joinKey }: ReservedData, done: () => void): void {
  const { host, port } = server;
  void reach(base.device, host, port).then((good) => {
    if (good) keep(base, { url: formatServerUrl(server), key: joinKey ?? "" });
    else base.log("smartconfig", `server ${host}:${port} does not answer: it is not stored`, "W");
    base.device.timer.set(done, 0);
  });
}

function keep({ store, log }: Base, entry: SentEntry): void {
  try {
    setRecord(store, SENT_SERVER, entry);
    log("smartconfig", `server ${entry.url} is stored`);
  } catch (error) {
    log("smartconfig", `server not stored: ${(error as Error).message}`, "E");
  }
}
