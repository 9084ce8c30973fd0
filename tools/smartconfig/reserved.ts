// The reserved data that a sender of ours adds to name and password: server and join key, and when they may go.

import { encodeReserved } from "../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import { BroomeError } from "../error.js";

/** What else the device is told; undefined: nothing. */
export interface Extras {
  readonly server: string | undefined; // http://host:port/#pin
  readonly joinKey: string | undefined; // 30 characters
}

/**
 * The reserved data; undefined where there is nothing to say. `sealed`: v2's AES key is used.
 *
 * @throws BroomeError `join-key-unencrypted`, `value-missing`; FormatError `server-url-invalid`, `join-key-invalid`, `reserved-data-too-long`
 */
export function reservedOf({ server, joinKey }: Extras, sealed: boolean): Uint8Array | undefined {
  if (joinKey !== undefined && server === undefined)
    throw new BroomeError(
      "value-missing",
      "a join key goes with the server that made it, and no server is given",
      "Give --server http://host:3000/#pin as well.",
    );
  if (joinKey !== undefined && !sealed)
    throw new BroomeError(
      "join-key-unencrypted",
      "without an ESP-Touch key the join key would go through the air in the clear",
      "Give --key: the smartconfig.key that is patched into the device. Or leave the join key out: the device asks for it at its dialog.",
    );
  return server === undefined ? undefined : encodeReserved({ server: parseServerUrl(server), joinKey });
}
