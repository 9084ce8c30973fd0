// The seam to the hardware (DESIGN.md, decision 1): what a platform folder offers under the bare names `device/...`.
// Every platform implements these contracts; one suite in test/contract runs on each that can run.

import type { Crypto } from "../protocol/crypto.js";

export type { Crypto };

export type Security = "open" | "wep" | "wpa" | "wpa2" | "wpa3";

/**
 * The networks that a scan heard, strongest first, at most 16. Each is read where it is asked for, by its place from 0: as objects
 * they would take 5 KB of a chip's 32, in a crowded place, when a person is at the dialog.
 */
export interface ScanList {
  readonly length: number;
  /** 0 to 32 bytes, which need not be UTF-8; a view of the list. */
  ssid(place: number): Uint8Array;
  channel(place: number): number;
  /** dBm. */
  rssi(place: number): number;
  security(place: number): Security;
}

export interface Address {
  address: string; // dotted IPv4
  mask: string;
  gateway: string;
  dns: string[];
}

export interface JoinTarget {
  ssid: Uint8Array; // 1 to 32 bytes
  password: string; // "" for an open network, else 8 to 63 characters or 64 hex digits
  bssid?: Uint8Array;
  channel?: number;
}

/** Events of one join, in this order; `lost` may come at any time, and nothing comes after it. */
export interface JoinEvents {
  /** Where it is, as far as the platform knows: the next attempt goes there first. */
  associated(bssid?: Uint8Array, channel?: number): void;
  address(address: Address): void;
  /** The association ended, or never came about. `raw` is the chip's own reason code. */
  lost(raw: number): void;
}

/** `device/station`: the radio as a Wi-Fi station. Scan and join are serialised by the platform. */
export interface Station {
  /** Calls back once, with undefined where the scan failed. */
  scan(done: (found: ScanList | undefined) => void): void;
  /** Drops any earlier join without an event. */
  join(target: JoinTarget, events: JoinEvents): void;
  leave(): void;
  /**
   * The name that the router hears with the next join (DHCP option 12, RFC 2132, 3.14): 1 to 32 letters, digits and hyphens. A platform
   * whose network is somebody else's ignores it.
   */
  setHostName(name: string): void;
  /** Signal of the current association in dBm, or undefined when there is none. */
  rssi(): number | undefined;
  /** Reason of the vocabulary for a raw code: "wrong-password", "not-found", "no-address", "timeout", else "not-found"-like closest fit. */
  reason(raw: number): string;
}

/** `device/tcp`: a client socket, shaped after ECMA-419 17 (TCP socket IO class). */
export interface Tcp {
  /** At most `limit` of the bytes that have arrived, or undefined when none have. */
  read(limit?: number): Uint8Array | undefined;
  /** All of `bytes` must fit in what onWritable last granted; throws `output-full` otherwise. */
  write(bytes: Uint8Array): void;
  /** May be called twice; any other use after close throws. No callback comes after it. */
  close(): void;
}

/** The platform calls these as methods of the object that it was given. */
export interface TcpOptions {
  address: string; // dotted IPv4
  port: number;
  /** `available` bytes can be read now. */
  onReadable(available: number): void;
  /** Connected, or drained: `writable` bytes can be written now. */
  onWritable(writable: number): void;
  /** The connection failed or ended; `why` is "closed" after an orderly end by the peer (bytes may remain to be read), else "error". */
  onError(why: "closed" | "error"): void;
}

export type OpenTcp = (options: TcpOptions) => Tcp;

/** `device/resolve`: DNS with the servers of DHCP. Undefined where the name does not resolve. */
export type Resolve = (host: string, done: (address: string | undefined) => void) => void;

/** `device/flash`: a region of NOR flash. Erased bytes are FF; a write can only clear bits. */
export interface Flash {
  readonly size: number; // bytes, a multiple of sectorSize
  readonly sectorSize: number; // 4096
  read(offset: number, length: number): Uint8Array;
  eraseSector(index: number): void;
  /** Throws `flash-not-erased` where a bit would have to be set. */
  write(offset: number, bytes: Uint8Array): void;
}

/** Regions by name: the `broome` data partition, the other slot, the running slot (read-only). */
export type OpenFlash = (region: "broome" | "other" | "running") => Flash;

export type SlotState = "new" | "pending-verify" | "valid" | "invalid" | "aborted" | "undefined" | "empty";

/** `device/slots`: which image runs, and which runs next (ESP-IDF otadata on ESP32). */
export interface Slots {
  running(): { name: string; state: SlotState };
  other(): { name: string; state: SlotState; size: number } | undefined;
  /** First step of an update: whatever the other slot holds can no longer be booted. */
  invalidateOther(): void;
  /** Last step: verifies the image in the other slot and selects it, state `new`. Throws `image-corrupt`. */
  selectOther(): void;
  /** Selects the other slot again although it is `aborted` (decision 10: a power cut during a trial). */
  rearmOther(): void;
  /** Ends a trial well. */
  markValid(): void;
  /** Ends a trial badly; the next start takes the other slot. The caller restarts. */
  markInvalid(): void;
}

export type RawResetCause =
  "power-on" | "software" | "watchdog" | "exception" | "brownout" | "deep-sleep" | "external" | "unknown";

/** `device/system`. */
export interface System {
  readonly chip: string; // "esp32c3"
  mac(): Uint8Array; // 6 bytes
  resetCause(): RawResetCause;
  restart(): never;
  /** Milliseconds since start; does not wrap within 2^53. */
  uptimeMs(): number;
  /** Bytes free for the program (arena), and the peak used since the last mark. */
  heap(): { free: number; peak: number; limit: number };
  /** Names the phase that begins ("boot", "join", "sync", "ota"): measurement only, does nothing on a board. */
  mark(phase: string): void;
  feedWatchdog(): void;
}

/** `device/console`: the UART that carries log lines, the dialog and Improv. */
export interface Console {
  write(bytes: Uint8Array): void;
  /** One listener; gets what arrived, at most 128 bytes at a time. */
  listen(onBytes: (bytes: Uint8Array) => void): void;
}

/** `device/timer`. Handles are opaque; clear of an ended or undefined handle does nothing. */
export interface Timer {
  set(callback: () => void, ms: number): unknown;
  repeat(callback: () => void, ms: number): unknown;
  clear(handle: unknown): void;
}

/** `device/Resource`: a named resource of the running image, or undefined. */
export type ReadResource = (name: string) => Uint8Array | undefined;

/** What a phone sent by ESP-Touch. */
export interface TouchCredentials {
  ssid: Uint8Array; // 1 to 32 bytes
  password: string;
  /** ESP-Touch v2's reserved data, at most 64 bytes; undefined with v1. */
  reserved: Uint8Array | undefined;
  /** True where v2's AES key was used, and hence whoever sent this knew it. */
  encrypted: boolean;
}

export interface TouchEvents {
  /** At most once. Nothing listens from here on: the radio is free for an attempt. */
  credentials(heard: TouchCredentials): void;
  /** It could not begin, or what was heard is no network; nothing comes after it. */
  failed(raw: number): void;
}

/** `device/smartconfig`: absent (undefined) where the platform cannot. Nothing may be joined or scanned while it listens. */
export interface SmartConfig {
  /** Listens until stop. `key`: 16 characters, v2's AES key; without one v2 is heard in the clear. */
  start(events: TouchEvents, key?: string): void;
  /** Ends at once, in whatever state; may be called twice. The phone is told nothing. */
  stop(): void;
  /** Instead of stop, where the credentials led to an address: the phone is told, some seconds in the background, then it ends. */
  acknowledge(): void;
  /** True while the frames of a transfer keep coming: its slice of the radio is then held, up to 45 s. */
  receiving?(): boolean;
}

/** `device/gpio`: LED and button, by the board's numbers. */
export interface Gpio {
  write(pin: number, high: boolean): void;
  read(pin: number): boolean;
}

/** Everything a platform hands to main.ts. */
export interface Device {
  station: Station;
  tcp: OpenTcp;
  resolve: Resolve;
  flash: OpenFlash;
  slots: Slots | undefined; // undefined: this platform cannot update itself
  system: System;
  console: Console;
  crypto: Crypto;
  timer: Timer;
  resource: ReadResource;
  smartconfig: SmartConfig | undefined;
  gpio: Gpio | undefined;
}
