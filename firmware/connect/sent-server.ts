// The server that a phone named in ESP-Touch v2's reserved data: tried before it is stored, as one of the dialog's is, and stored
// beside what worked until it has worked itself.

import type { TouchCredentials } from "../device/types.js";
import { parseReserved } from "../protocol/reserved-data.js";
import type { ReservedData } from "../protocol/reserved-data.js";
import { formatServerUrl } from "../protocol/server-url.js";
import type { Base } from "../store/base.js";
import { setRecord } from "../store/json-record.js";
import { SENT_SERVER } from "../store/keys.js";
import { Reach } from "./reach.js";
import type { ReachListener } from "./reach.js";
import { touchKey } from "./smartconfig.js";
import type { Radio } from "./step.js";

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

/** Stores the server if it accepts a connection; then the radio's owner goes on. */
export class SentTrial implements ReachListener {
  private readonly base: Base;
  private readonly sent: ReservedData;
  private readonly radio: Pick<Radio, "goOn">;

  constructor(base: Base, sent: ReservedData, radio: Pick<Radio, "goOn">) {
    this.base = base;
    this.sent = sent;
    this.radio = radio;
    new Reach(base.device, sent.server.host, sent.server.port, this);
  }

  onReached(good: boolean): void {
    const { base } = this;
    const { server, joinKey } = this.sent;
    if (good) keep(base, { url: formatServerUrl(server), key: joinKey ?? "" });
    else
      base.log("smartconfig", `server ${server.host}:${server.port} does not answer: it is not stored`, "W");
    this.radio.goOn();
  }
}

function keep({ store, log }: Base, entry: SentEntry): void {
  try {
    setRecord(store, SENT_SERVER, entry);
    log("smartconfig", `server ${entry.url} is stored`);
  } catch (error) {
    log("smartconfig", `server not stored: ${(error as Error).message}`, "E");
  }
}
