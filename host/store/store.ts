// The store seam: what the server keeps. Asynchronous, so that SQLite and a database over the network fit alike.
// Secrets come in wrapped or hashed (host/keyring.ts, host/tokens.ts): no implementation ever sees one.

/** `pending` waits for its owner; `replaced` gave its place to a board that claimed its MAC and was approved. */
export type DeviceState = "pending" | "approved" | "denied" | "blocked" | "replaced";

/** A device as the API shows it. Times are milliseconds since 1970. The first ten columns are those of seed 004. */
export interface Device {
  deviceid: string;
  name: string;
  lastseen: number | null;
  ssid: string;
  ipaddr: string;
  /** Serial number of the configuration that the owner wants on the device. */
  cfgsn: number;
  flags: number;
  /** Latest value of every reading, by name. */
  data: Record<string, unknown>;
  datec: number;
  state: DeviceState;
  mac: string;
  chip: string;
  product: string;
  layout: string;
  version: string;
  /** Signal in dBm, where reported. */
  rssi: number | null;
  tags: string[];
  location: string;
  notes: string;
  /** Serial number of the configuration that the device says it applied. */
  cfgsnApplied: number;
  /** Last OTA state that the device reported. */
  ota: Record<string, unknown> | null;
  /** What the device last said of itself, all of it. */
  status: Record<string, unknown>;
  /** What the device keeps here for its next boot. */
  properties: Record<string, unknown>;
  /** Release on offer. */
  offer: Offer | null;
  /** A pending device: the six digits to compare. */
  code: string | null;
  /** A pending device whose MAC belongs to this approved one. */
  claims: string | null;
  /** The device that took this one's place. */
  replacedBy: string | null;
}

/** What a new device row starts with; the rest is empty. */
export type NewDevice = Pick<Device, "deviceid" | "name" | "datec" | "state"> & Partial<Device>;

/** What an owner may change. */
export type DeviceEdit = Partial<Pick<Device, "name" | "tags" | "location" | "notes" | "flags">>;

export interface Offer {
  /** Manifest hash, hex. */
  manifest: string;
  /** May lower the version; only an admin's, never a pin's. */
  down: boolean;
  /** Also where the device remembers it as failed. */
  again: boolean;
  /** Pin revision of the trigger: the device acts on it after a request that carried this. */
  revision: number;
}

export interface Identity {
  deviceid: string;
  /** Key generation. */
  g: number;
  /** K wrapped under the server's wrapping key, AAD `id|g`. */
  wrappedKey: Uint8Array;
}

export interface Reading {
  boot: number;
  key: number;
  /** Uptime at sampling, ms. */
  uptime: number;
  /** The server's estimate of the time of sampling, ms since 1970. */
  at: number;
  name: string;
  value: unknown;
}

export interface Boot {
  boot: number;
  /** The server's estimate of when it was, ms since 1970. */
  at: number;
  entry: Record<string, unknown>;
}

export interface PinValue {
  /** `V0` ... `V255`. */
  pin: number;
  value: string;
  at: number;
  /** Revision of the desired value, 0 where the device reported the value by itself. */
  revision: number;
}

/** Everything of one verified request that goes into the database together. */
export interface SyncInput {
  deviceid: string;
  g: number;
  boot: number;
  sequence: number;
  /** The request's authentication tag. */
  tag: Uint8Array;
  /** Server time at arrival. */
  at: number;
  /** Where the connection came from: shown until the device says its own address. */
  address: string;
  /** Ascending by (boot, key). */
  readings: Reading[];
  /** Pins that the device reports. */
  pins: { pin: number; value: string }[];
  ledger: Boot[];
  cfgsnApplied?: number;
  ota?: Record<string, unknown>;
  properties?: Record<string, unknown>;
  /** Columns that the device itself reports. `mac` is taken while it has none and no other approved device has that. */
  report: Partial<
    Pick<Device, "ssid" | "ipaddr" | "mac" | "chip" | "product" | "layout" | "version" | "rssi" | "status">
  >;
}

export type SyncOutcome =
  | {
      kind: "accepted" | "duplicate";
      device: Device;
      /** Everything up to here is durable; undefined before the first record. */
      watermark: [boot: number, key: number] | undefined;
      /** Highest boot whose ledger entry is stored. */
      ledger: number | undefined;
      /** How many of the readings were new. */
      stored: number;
    }
  | { kind: "stale"; highestBoot: number }
  | { kind: "unknown" };

export interface JoinKey {
  kid: string;
  wrappedSecret: Uint8Array;
  label: string;
  created: number;
  /** ms since 1970, or null for never. */
  expires: number | null;
  /** How many devices it admits, or null for any number. */
  uses: number | null;
  used: number;
  revoked: boolean;
}

/** A handshake that was answered and whose first sync (M3) has not been seen yet. */
export interface Join {
  deviceid: string;
  /** Key generation that K begins with. */
  g: number;
  kid: string;
  /** SHA-256 of M1: the same M1 gets the same M2. */
  m1: Uint8Array;
  m2: Uint8Array;
  /** Hash of the transcript, for the code. */
  h: Uint8Array;
  /** What M1 committed to, as text. */
  commitment: string;
  wrappedKey: Uint8Array;
  mac: string;
  chip: string;
  product: string;
  version: string;
  rssi: number | null;
  /** What the device says that its owner calls it, or "". */
  name: string;
  at: number;
}

/** A join counts until it is confirmed or too old, and then while its device is pending. */
export interface JoinLimits {
  perKey: number;
  total: number;
  perMinuteAndKey: number;
}

export type JoinRoom = "free" | "too-many" | "too-fast";

export type Scope = "read" | "pins" | "ota";

export interface Token {
  /** Public name of the token: first bytes of its hash. */
  tokenid: string;
  deviceid: string;
  scopes: Scope[];
  label: string;
  created: number;
}

export interface Release {
  /** SHA-256 of the manifest file, hex: the release's name. */
  manifest: string;
  version: string;
  product: string;
  chip: string;
  layout: string;
  sc: number;
  min: string;
  size: number;
  /** SHA-256 of the image and of the chunk list, hex. */
  sha256: string;
  list: string;
  kid: string;
  created: number;
  withdrawn: boolean;
}

export interface Store {
  /** Settings: small named values such as the hash of the admin token. */
  getSetting(name: string): Promise<string | undefined>;
  setSetting(name: string, value: string): Promise<void>;

  listDevices(state?: DeviceState): Promise<Device[]>;
  getDevice(id: string): Promise<Device | undefined>;
  /** The approved device with this MAC. */
  findApprovedByMac(mac: string): Promise<Device | undefined>;
  /** A device that needs no handshake: row and identity together. */
  addDevice(device: NewDevice, identity: Identity): Promise<Device>;
  editDevice(id: string, edit: DeviceEdit): Promise<Device | undefined>;
  /** Moves a device to `to` where it is in one of `from`; undefined where it is not. */
  moveDevice(id: string, from: DeviceState[], to: DeviceState): Promise<Device | undefined>;
  /**
   * Approves a pending device. One that claims another takes over its name, notes, tags, place, configuration and
   * tokens; the other is `replaced` in the same transaction. undefined where it is not pending.
   */
  approveDevice(id: string, name?: string): Promise<Device | undefined>;
  /** Counts a wrong code; returns how many there were. */
  countWrongCode(id: string): Promise<number>;
  /** Removes pending devices that were made before `time`; returns their ids. */
  removePendingBefore(time: number): Promise<string[]>;
  setOffer(id: string, offer: Offer | null): Promise<void>;
  /** New configuration; returns its serial number. */
  setConfig(id: string, values: Record<string, unknown>): Promise<number>;
  getConfig(
    id: string,
  ): Promise<{ sn: number; applied: number; values: Record<string, unknown> } | undefined>;

  getIdentity(id: string, g: number): Promise<Identity | undefined>;
  /** Freshness check, data and watermark in one transaction (PROTOCOL, "Freshness"). */
  sync(input: SyncInput): Promise<SyncOutcome>;
  listReadings(id: string, limit: number, name?: string): Promise<Reading[]>;
  listBoots(id: string, limit: number): Promise<Boot[]>;

  /** Gives each pin a new revision, in order; returns the values as stored. */
  setPins(id: string, pins: { pin: number; value: string }[], at: number): Promise<PinValue[]>;
  /** Desired values with a revision above `revision`, the latest per pin, ascending by revision. */
  desiredPinsAbove(id: string, revision: number): Promise<PinValue[]>;
  /** The value that was set or reported last. */
  getPin(id: string, pin: number): Promise<PinValue | undefined>;
  listPins(id: string): Promise<{ pin: number; desired: PinValue | null; reported: PinValue | null }[]>;

  addToken(token: Token, hash: string): Promise<void>;
  findToken(hash: string): Promise<Token | undefined>;
  listTokens(id: string): Promise<Token[]>;
  removeToken(id: string, tokenid: string): Promise<boolean>;

  /** Also forgets the sessions that have ended. */
  addSession(hash: string, expires: number, now: number): Promise<void>;
  hasSession(hash: string, now: number): Promise<boolean>;
  removeSession(hash: string): Promise<void>;

  addJoinKey(key: JoinKey): Promise<void>;
  getJoinKey(kid: string): Promise<JoinKey | undefined>;
  listJoinKeys(): Promise<JoinKey[]>;
  revokeJoinKey(kid: string): Promise<boolean>;

  findJoin(m1: Uint8Array): Promise<Join | undefined>;
  getJoin(id: string): Promise<Join | undefined>;
  /** Whether `addJoin` would add: asked before any Diffie-Hellman is done. */
  joinRoom(kid: string, at: number, limits: JoinLimits): Promise<JoinRoom>;
  /** Adds within the limits, checked in the same transaction. `known`: the same M1 came in meanwhile. */
  addJoin(join: Join, limits: JoinLimits): Promise<JoinRoom | "known">;
  /**
   * M3 was opened and its nonce matched: the join becomes a pending device with an identity, and its key is counted.
   * undefined where the join is gone or its key is used up, expired or revoked meanwhile.
   */
  confirmJoin(id: string, code: string, now: number): Promise<Device | undefined>;
  removeJoinsBefore(time: number): Promise<number>;

  /** False where a release of that product, chip, layout and version, or with that manifest, exists. */
  addRelease(release: Release): Promise<boolean>;
  getRelease(manifest: string): Promise<Release | undefined>;
  listReleases(): Promise<Release[]>;
  /** Withdraws it and every offer of it; returns the devices it was on offer to. */
  withdrawRelease(manifest: string): Promise<string[] | undefined>;

  /** True while the database answers. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}
