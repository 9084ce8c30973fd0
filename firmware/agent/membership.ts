// Which server this device belongs to, and as whom: identities in the store, and the servers that it may try.

import { FIRST_GENERATION, KEY_LENGTH } from "../protocol/sealed.js";
import { decodeBase64url, encodeBase64url } from "../protocol/base64url.js";
import { parseServerUrl } from "../protocol/server-url.js";
import { defaultValues, isFresh, markWorked, SERVER_PART, textDefault } from "../store/defaults-record.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { IDENTITY, PENDING_IDENTITY, SENT_SERVER, SERVER } from "../store/keys.js";
import type { LogStore } from "../store/log-store.js";
import type { Identity } from "../link/sync.js";
import type { SentEntry } from "../connect/sent-server.js";
import type { ServerEntry } from "../connect/entered-server.js";

/** A server that may be tried, and what the owner gave for it. */
export interface Target {
  source: "defaults" | "sent" | "entered" | "identity";
  url: string;
  host: string;
  port: number;
  pin: string | undefined;
  joinKey: string | undefined;
  /** Registered beforehand: no join is needed. */
  registered: Identity | undefined;
  /** Without a pin: trust the first server that answers. */
  tofu: boolean;
}

/** Who the device is to a server. */
export interface Member {
  identity: Identity;
  url: string;
  /** Not approved yet: what M3 carries, the code, and whether a person at the device has still to compare it. */
  pending: { n: string; code: string; ask: boolean } | undefined;
}

interface IdentityRecord {
  id: string;
  g: number;
  k: string; // K, base64url
  pin: string;
  url: string;
  n?: string;
  code?: string;
  ask?: boolean;
}

/**
 * Servers in the order to try them: what the owner gave and has not worked yet, then the one that knows this device; where
 * none does, everything there is. Each address once.
 *
 * @param pinned a pin compiled into the image, in place of all others
 */
export function targets(store: LogStore, pinned: string | undefined): Target[] {
  const all = [defaultsTarget(store), enteredTarget(store), identityTarget(store), sentTarget(store)];
  const fresh = [isFresh(store, SERVER_PART), getRecord<ServerEntry>(store, SERVER)?.fresh === true];
  const [defaults, entered, known, sent] = all;
  const list: Target[] = [];
  for (const target of [
    sent,
    fresh[0] && defaults,
    fresh[1] && entered,
    known,
    !known && entered,
    !known && defaults,
  ]) {
    if (!target) continue;
    if (pinned) target.pin = pinned;
    const same = list.find(({ url }) => url === target.url);
    if (!same) list.push(target);
    else {
      same.joinKey ??= target.joinKey;
      same.registered ??= target.registered;
    }
  }
  // A server that knew this device may ask it to join again, or turn out to be another: the key that was given for it is kept.
  for (const target of list) target.joinKey ??= all.find((other) => other?.url === target.url)?.joinKey;
  return list;
}

/** A server was named that has not taken the device yet: it is tried before the one in force. */
export function hasFreshServer(store: LogStore): boolean {
  return store.get(SENT_SERVER) !== undefined || getRecord<ServerEntry>(store, SERVER)?.fresh === true;
}

function targetOf(source: Target["source"], url: string | undefined, joinKey?: string): Target | undefined {
  if (!url) return undefined;
  try {
    const { host, port, pin } = parseServerUrl(url);
    return {
      source,
      url,
      host,
      port,
      pin,
      joinKey: joinKey || undefined,
      registered: undefined,
      tofu: false,
    };
  } catch {
    return undefined; // checked by whoever wrote it; an address that cannot be read is none
  }
}

function defaultsTarget(store: LogStore): Target | undefined {
  const values = defaultValues(store);
  const target = targetOf("defaults", textDefault(values, "server.url"), textDefault(values, "join.key"));
  if (!target) return undefined;
  target.tofu = values.tofu === true;
  const id = textDefault(values, "device.id");
  const key = textDefault(values, "device.key");
  if (id === undefined || key === undefined || target.pin === undefined) return target;
  try {
    target.registered = { id, g: FIRST_GENERATION, key: decodeBase64url(key, KEY_LENGTH), pin: target.pin };
  } catch {
    target.registered = undefined;
  }
  return target;
}

function enteredTarget(store: LogStore): Target | undefined {
  const entry = getRecord<ServerEntry>(store, SERVER);
  return targetOf("entered", entry?.url, entry?.key);
}

/** Without a join key of its own it gets the one that the device was given before: who does not know that one learns nothing by it. */
function sentTarget(store: LogStore): Target | undefined {
  const sent = getRecord<SentEntry>(store, SENT_SERVER);
  if (!sent) return undefined;
  const before = getRecord<ServerEntry>(store, SERVER)?.key || textDefault(defaultValues(store), "join.key");
  return targetOf("sent", sent.url, sent.key || before);
}

function identityTarget(store: LogStore): Target | undefined {
  return targetOf("identity", getRecord<IdentityRecord>(store, IDENTITY)?.url);
}

/** Who the device is to `target`; undefined where it has to join. An identity is good while the server's pin is the same. */
export function memberFor(store: LogStore, target: Target): Member | undefined {
  const pending = load(store, PENDING_IDENTITY);
  if (pending && fits(pending, target)) return pending;
  const current = load(store, IDENTITY);
  const { registered } = target;
  if (current && fits(current, target) && (!registered || registered.id === current.identity.id))
    return current;
  return registered && { identity: registered, url: target.url, pending: undefined };
}

function fits({ identity, url }: Member, target: Target): boolean {
  return target.pin === undefined ? url === target.url : identity.pin === target.pin;
}

function load(store: LogStore, key: number): Member | undefined {
  const { id, g, k, pin, url, n, code, ask } = getRecord<IdentityRecord>(store, key) ?? {};
  if (!id || !g || !k || !pin || !url) return undefined;
  const pending = n && code ? { n, code, ask: ask === true } : undefined;
  return { identity: { id, g, key: decodeBase64url(k, KEY_LENGTH), pin }, url, pending };
}

/** Made before the store is called, not on the way there: that is deep enough for a stack of 256 slots. */
function recordOf({ identity, url, pending }: Member): IdentityRecord {
  const { id, g, pin } = identity;
  return { id, g, k: encodeBase64url(identity.key), pin, url, ...pending };
}

/** After a join: beside the identity in force, which stays until the owner approved this one. */
export function savePending(store: LogStore, member: Member): void {
  setRecord(store, PENDING_IDENTITY, recordOf(member));
}

/** The owner refused it, or it was given up. */
export function dropPending(store: LogStore): void {
  store.delete(PENDING_IDENTITY);
}

/** A bound reply came: this identity, at this address, is the one in force. Writes only what changed. */
export function settle(store: LogStore, member: Member, target: Target): void {
  const url = target.pin === undefined ? `${target.url.split("#")[0]}#${member.identity.pin}` : target.url;
  const record = recordOf({ identity: member.identity, url, pending: undefined });
  setRecord(store, IDENTITY, record);
  if (member.pending) dropPending(store);
  if (target.source === "defaults") markWorked(store, SERVER_PART);
  const entry = getRecord<ServerEntry>(store, SERVER);
  if (target.source === "entered" && entry?.fresh) setRecord(store, SERVER, { ...entry, fresh: false });
  settleSent(store, target);
}

/** A server that was sent replaces what was entered once it has taken the device; it goes where another takes it and it does not. */
function settleSent(store: LogStore, { url, joinKey }: Target): void {
  const sent = getRecord<SentEntry>(store, SENT_SERVER);
  if (!sent) return;
  if (sent.url === url) setRecord(store, SERVER, { url, key: joinKey ?? "", fresh: false });
  else if (store.get(PENDING_IDENTITY)) return; // its owner may still approve
  store.delete(SENT_SERVER);
}
