// Settings that the owner makes on the server, kept in the store; beneath them the `x.` values of the defaults.

import type { Scalar, SyncReply } from "../protocol/sync-message.js";
import { defaultValues } from "../store/defaults-record.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { CONFIGURATION } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

type Values = NonNullable<SyncReply["c"]>;

/** Serial number of the configuration in force: `c` of a request. */
export function configurationNumber(store: LogStore): number {
  return getRecord<Values>(store, CONFIGURATION)?.n ?? 0;
}

export function takeConfiguration(store: LogStore, configuration: Values): void {
  setRecord(store, CONFIGURATION, configuration);
}

/** What the gadget's program reads its settings from. */
export class Settings {
  private readonly store: LogStore;

  constructor(store: LogStore) {
    this.store = store;
  }

  /** The server's value, else the default `x.<name>`, else undefined. */
  get(name: string): Scalar | undefined {
    const values = getRecord<Values>(this.store, CONFIGURATION)?.v;
    if (values && Object.hasOwn(values, name)) return values[name];
    const defaults = defaultValues(this.store);
    return Object.hasOwn(defaults, `x.${name}`) ? defaults[`x.${name}`] : undefined;
  }
}
