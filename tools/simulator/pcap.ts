// A capture of what goes over the air, in the format of libpcap (draft-ietf-opsawg-pcap), so that Wireshark opens it.

import { closeSync, openSync, writeSync } from "node:fs";
import { BroomeError } from "../error.js";

const MAGIC = 0xa1b2c3d4; // microseconds
const LINKTYPE_RAW = 101; // packets begin with their IPv4 header
const SNAP_LENGTH = 65_535;
const FILE_HEADER = 24; // bytes
const RECORD_HEADER = 16;
const IP_HEADER = 20;
const TCP_HEADER = 20;
const MAX_SEGMENT = 1_460;
const TCP_PROTOCOL = 6;
const FLAGS = { fin: 0x01, syn: 0x02, push: 0x08, ack: 0x10 };

function ipv4(text: string): number[] {
  return text.split(".").map(Number);
}

/** The sum of RFC 1071 over 16-bit words. */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

interface End {
  address: string;
  port: number;
  sequence: number;
}

function packet(from: End, to: End, flags: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IP_HEADER + TCP_HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, bytes.length);
  view.setUint16(6, 0x4000); // don't fragment
  view.setUint8(8, 64);
  view.setUint8(9, TCP_PROTOCOL);
  bytes.set(ipv4(from.address), 12);
  bytes.set(ipv4(to.address), 16);
  view.setUint16(10, internetChecksum(bytes.subarray(0, IP_HEADER)));
  view.setUint16(20, from.port);
  view.setUint16(22, to.port);
  view.setUint32(24, from.sequence);
  view.setUint32(28, to.sequence);
  view.setUint8(32, (TCP_HEADER / 4) << 4);
  view.setUint8(33, flags);
  view.setUint16(34, 5_744); // lwIP's default window
  bytes.set(payload, IP_HEADER + TCP_HEADER);
  const pseudo = new Uint8Array(12 + TCP_HEADER + payload.length);
  pseudo.set(bytes.subarray(12, 20));
  pseudo[9] = TCP_PROTOCOL;
  new DataView(pseudo.buffer).setUint16(10, TCP_HEADER + payload.length);
  pseudo.set(bytes.subarray(IP_HEADER), 12);
  view.setUint16(36, internetChecksum(pseudo));
  return bytes;
}

/** One TCP connection in a capture. */
export interface CapturedFlow {
  sent(bytes: Uint8Array): void;
  received(bytes: Uint8Array): void;
  closed(): void;
}

export class PcapWriter {
  #file: number | undefined;

  /** Creates the file, readable by its owner alone. */
  constructor(path: string) {
    this.#file = openSync(path, "w", 0o600);
    const header = new DataView(new ArrayBuffer(FILE_HEADER));
    header.setUint32(0, MAGIC, true);
    header.setUint16(4, 2, true);
    header.setUint16(6, 4, true);
    header.setUint32(16, SNAP_LENGTH, true);
    header.setUint32(20, LINKTYPE_RAW, true);
    writeSync(this.#file, new Uint8Array(header.buffer));
  }

  /** Begins a connection from the device to a server, with the three packets that open it. */
  open(device: { address: string; port: number }, server: { address: string; port: number }): CapturedFlow {
    const up: End = { ...device, sequence: 1_000 };
    const down: End = { ...server, sequence: 2_000 };
    const send = (from: End, to: End, flags: number, bytes: Uint8Array = new Uint8Array(0)) => {
      this.#record(packet(from, to, flags, bytes));
      from.sequence += bytes.length;
    };
    const segments = (from: End, to: End, bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at += MAX_SEGMENT)
        send(from, to, FLAGS.push | FLAGS.ack, bytes.subarray(at, at + MAX_SEGMENT));
    };
    send(up, down, FLAGS.syn);
    up.sequence += 1;
    send(down, up, FLAGS.syn | FLAGS.ack);
    down.sequence += 1;
    send(up, down, FLAGS.ack);
    return {
      sent: (bytes) => segments(up, down, bytes),
      received: (bytes) => segments(down, up, bytes),
      closed: () => send(up, down, FLAGS.fin | FLAGS.ack),
    };
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #record(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    const record = new Uint8Array(RECORD_HEADER + bytes.length);
    const view = new DataView(record.buffer);
    const now = Date.now();
    view.setUint32(0, Math.floor(now / 1000), true);
    view.setUint32(4, (now % 1000) * 1000, true);
    view.setUint32(8, bytes.length, true);
    view.setUint32(12, bytes.length, true);
    record.set(bytes, RECORD_HEADER);
    writeSync(this.#file, record);
  }
}

/** What one side of one connection said, in order. */
export interface Stream {
  from: string; // address:port
  to: string;
  bytes: Uint8Array;
}

/**
 * Puts the streams of a capture together again. Only what PcapWriter writes: in order, nothing lost.
 *
 * @throws BroomeError `capture-corrupt`
 */
export function readStreams(file: Uint8Array): Stream[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (
    file.length < FILE_HEADER ||
    view.getUint32(0, true) !== MAGIC ||
    view.getUint32(20, true) !== LINKTYPE_RAW
  )
    throw new BroomeError(
      "capture-corrupt",
      "this is not a capture of broome sim",
      "Make one with: broome sim --capture FILE",
    );
  interface Parts {
    from: string;
    to: string;
    parts: Uint8Array[];
  }
  const current = new Map<string, Parts>();
  const all: Parts[] = [];
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length;) {
    const length = view.getUint32(at + 8, true);
    const start = at + RECORD_HEADER;
    at = start + length;
    if (at > file.length || length < IP_HEADER + TCP_HEADER) break; // still being written
    const [from, to] = [12, 16].map((field, side) => {
      const address = [...file.subarray(start + field, start + field + 4)].join(".");
      return `${address}:${view.getUint16(start + IP_HEADER + side * 2)}`;
    }) as [string, string];
    const key = `${from} ${to}`;
    const syn = (view.getUint8(start + 33) & FLAGS.syn) !== 0;
    if (syn || !current.has(key)) {
      const stream: Parts = { from, to, parts: [] };
      current.set(key, stream);
      all.push(stream);
    }
    current.get(key)!.parts.push(file.subarray(start + IP_HEADER + TCP_HEADER, at));
  }
  return all.map(({ from, to, parts }) => ({ from, to, bytes: new Uint8Array(Buffer.concat(parts)) }));
}
