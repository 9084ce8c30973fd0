// Joining as this device: what it says of itself, with the key that was given for that server.

import { macText } from "../connect/names.js";
import type { HttpClient } from "../link/http.js";
import { runJoin } from "../link/join.js";
import type { JoinResult } from "../link/join.js";
import { parseJoinKey } from "../protocol/join.js";
import type { JoinKey } from "../protocol/join.js";
import type { Base } from "../store/base.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import type { Target } from "./membership.js";

/**
 * Begins a join at `target`.
 *
 * @param wanted false: it is given up
 * @returns undefined where no usable join key is known for it
 */
export function joinAt(
  { store, config, device }: Base,
  http: HttpClient,
  target: Target,
  wanted: () => boolean,
): Promise<JoinResult> | undefined {
  const joinKey = joinKeyOf(target);
  if (!joinKey) return undefined;
  device.system.mark("join");
  const name = textDefault(defaultValues(store), "device.name");
  return runJoin({
    crypto: device.crypto,
    http,
    timer: device.timer,
    joinKey,
    about: {
      mac: macText(device.system.mac()),
      chip: config.chip,
      product: config.product,
      v: config.version,
      rssi: device.station.rssi() ?? 0,
      ...(name && { name }),
    },
    pin: target.pin,
    unpinned: target.tofu ? "trust" : "ask",
    wanted,
  });
}

function joinKeyOf({ joinKey }: Target): JoinKey | undefined {
  try {
    return joinKey ? parseJoinKey(joinKey) : undefined;
  } catch {
    return undefined;
  }
}
