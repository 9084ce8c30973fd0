// improv-wifi-serial-sdk 2.8.1, made for browsers, over bytes in Node: bundled because its imports have no file extensions.

import { build } from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export interface Ssid {
  name: string;
  rssi: number;
  secured: boolean;
}

/** What of the SDK's ImprovSerial the tests use (dist/serial.d.ts). */
export interface ImprovClient {
  state: number;
  nextUrl?: string;
  initialize(timeoutMs: number): Promise<{
    firmware: string;
    version: string;
    name: string;
    chipFamily: string;
  }>;
  requestCurrentState(timeoutMs?: number): Promise<void>;
  provision(ssid: string, password: string, timeoutMs?: number): Promise<void>;
  scan(timeoutMs?: number): Promise<Ssid[]>;
  getHostname(): Promise<string>;
  setHostname(name: string): Promise<string>;
  getDeviceName(): Promise<string>;
  setDeviceName(name: string): Promise<string>;
  requestNetworkState(): Promise<{ online: boolean; supportsWifi: boolean; urls: string[] }>;
  writePacketToStream(type: number, data: number[]): Promise<void>;
  close(): Promise<void>;
}

export interface Wire {
  write(bytes: Uint8Array): void | Promise<void>;
  listen(onBytes: (bytes: Uint8Array) => void): void;
}

const logger = { log: () => undefined, debug: () => undefined, error: () => undefined };
type Constructor = new (port: object, log: object) => ImprovClient;
let loaded: Promise<Constructor> | undefined;

async function load(): Promise<Constructor> {
  const folder = mkdtempSync(join(tmpdir(), "broome-improv-"));
  try {
    const main = createRequire(import.meta.url).resolve("improv-wifi-serial-sdk");
    const outfile = join(folder, "serial.mjs");
    await build({
      entryPoints: [join(dirname(main), "serial.js")],
      bundle: true,
      format: "esm",
      outfile,
      logLevel: "silent",
    });
    return ((await import(pathToFileURL(outfile).href)) as { ImprovSerial: Constructor }).ImprovSerial;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The SDK's client on a wire. */
export async function improvOver(wire: Wire): Promise<ImprovClient> {
  const ImprovSerial = await (loaded ??= load());
  const readable = new ReadableStream<Uint8Array>({
    start: (controller) =>
      wire.listen((bytes) => {
        try {
          controller.enqueue(bytes);
        } catch {
          // closed: nobody reads any more
        }
      }),
  });
  const writable = new WritableStream<Uint8Array>({ write: (bytes) => wire.write(bytes) });
  return new ImprovSerial({ readable, writable }, logger);
}
