// Examples of SPEC.md: the records of the device's store, as the code writes them.

import { savePending, settle, type Member } from "../../firmware/agent/membership.js";
import { saveFailure, saveMemory } from "../../firmware/ota/memory.js";
import { takeConfiguration } from "../../firmware/pins/configuration.js";
import { Pins, TRIGGER_PIN } from "../../firmware/pins/pins.js";
import { encodeDefaults } from "../../firmware/format/defaults-block.js";
import { importDefaults, markWorked, NETWORK_PART } from "../../firmware/store/defaults-record.js";
import { setCount, setRecord } from "../../firmware/store/json-record.js";
import * as keys from "../../firmware/store/keys.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { noteUptime } from "../../firmware/telemetry/causes.js";
import { addLedgerEntry } from "../../firmware/telemetry/ledger.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import type { Examples } from "./example.js";
import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import { formatJoinKey } from "../../firmware/protocol/join.js";
import { counting, ID, JOIN_KEY, K, PIN, SERVER_URL, text } from "./fixed.js";
import { hex, list } from "./spec-file.js";

const BINARY: readonly number[] = [keys.BOOT_NUMBER, keys.DEFAULTS, keys.MINIMUM_SC, keys.DEFAULTS_WORKED];

function written(): LogStore {
  const store = new LogStore({ flash: flashRegion(NorFlash.open({ size: 0x10000 })) });
  const identity = { id: ID, g: 1, key: K, pin: PIN };
  const target = { source: "entered", url: SERVER_URL, ...parseServerUrl(SERVER_URL) } as const;
  const rest = { joinKey: undefined, registered: undefined, tofu: false };
  const pending: Member["pending"] = { n: encodeBase64url(counting(0xb0, 16)), code: "012345", ask: false };
  setCount(store, keys.BOOT_NUMBER, 3);
  noteUptime(store, 61234);
  addLedgerEntry(store, [3, "ota", "1.0.1", 61234, "to 1.0.1"]);
  settle(store, { identity, url: SERVER_URL, pending: undefined }, { ...target, ...rest });
  savePending(store, { identity, url: SERVER_URL, pending });
  importDefaults(store, encodeDefaults({ "wifi.ssid": "Broome" }));
  markWorked(store, NETWORK_PART);
  new Pins({ store, log: () => undefined, device: undefined as never, config: undefined as never }).take(
    [[8, TRIGGER_PIN, "1"]],
    8,
  );
  takeConfiguration(store, { n: 2, v: { steps: 12 } });
  const offer = { v: "1.0.2", m: "5f".repeat(32) };
  saveMemory(store, { s: "trial", o: offer, c: "pin", h: "00112233aabbccdd", r: "", n: 0, f: [] });
  saveFailure(
    store,
    { s: "trial", o: offer, c: "pin", h: "00112233aabbccdd", r: "", n: 0, f: [] },
    "ended by watchdog",
  );
  setCount(store, keys.MINIMUM_SC, 1);
  setRecord(store, keys.SERVER, { url: SERVER_URL, key: formatJoinKey(JOIN_KEY), fresh: true });
  return store;
}

export const storeExamples: Examples = {
  "store-records": {
    make() {
      const store = written();
      const sorted = Object.entries(keys).sort(([, a], [, b]) => a - b);
      const rows = sorted.flatMap(([name, key]) => {
        const value = store.get(key);
        if (value === undefined) return [];
        return [
          [
            `${String(key).padStart(2)} ${name}`,
            BINARY.includes(key) ? hex(value, " ") : text(value),
          ] as const,
        ];
      });
      return list(rows);
    },
  },
};
