// Values for `broome patch` that need no questions: --set, and the environment.

import type { Given } from "../answers-file.js";
import { BroomeError } from "../error.js";

/** Secrets may come from the environment, where other users of the machine cannot read them. */
export const secretsOfEnvironment: readonly [key: string, name: string][] = [
  ["wifi.password", "BROOME_WIFI_PASSWORD"],
  ["join.key", "BROOME_JOIN_KEY"],
  ["smartconfig.key", "BROOME_SMARTCONFIG_KEY"],
];

/**
 * The pairs of --set. `isSecret` throws `unknown-key` for a key that nobody knows.
 * Throws `secret-on-command-line`, `usage`.
 */
export function readSettings(pairs: readonly string[], isSecret: (key: string) => boolean): Given {
  const given: Given = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const key = at < 0 ? pair : pair.slice(0, at);
    if (isSecret(key))
      throw new BroomeError(
        "secret-on-command-line",
        `--set ${key} would be readable by every process of this machine`,
        "Leave it out and answer the prompt, use --from FILE, or set BROOME_WIFI_PASSWORD, BROOME_JOIN_KEY or BROOME_SMARTCONFIG_KEY.",
      );
    if (at < 0) throw new BroomeError("usage", `--set ${pair}: no "="`, "Write --set KEY=VALUE.");
    given[key] = pair.slice(at + 1);
  }
  return given;
}

/** Nothing was given: only a person at the terminal can help. */
export function nobodyToAsk(): BroomeError {
  return new BroomeError(
    "usage",
    "no values given, and nobody to ask: this is no terminal",
    "Give --from FILE.json, --set KEY=VALUE or --blank.",
  );
}
