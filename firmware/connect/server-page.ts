// Where the owner finds the device's server with a browser.

import { parseServerUrl } from "../protocol/server-url.js";
import type { Base } from "../store/base.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import { getRecord } from "../store/json-record.js";
import { IDENTITY, SENT_SERVER, SERVER } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";

/** The address of the server that the device uses now, as it was given. */
export function knownServer(store: LogStore): string | undefined {
  const url = urlUnder(store, IDENTITY) ?? urlUnder(store, SENT_SERVER) ?? urlUnder(store, SERVER);
  return url ?? textDefault(defaultValues(store), "server.url");
}

function urlUnder(store: LogStore, key: number): string | undefined {
  return getRecord<{ url: string }>(store, key)?.url;
}

/** The same without its pin, for a browser; undefined where no server is known. */
export function serverPage({ store }: Base): string | undefined {
  const url = knownServer(store);
  if (url === undefined) return undefined;
  try {
    const { host, port } = parseServerUrl(url);
    return `http://${host}:${port}/`;
  } catch {
    return undefined;
  }
}
