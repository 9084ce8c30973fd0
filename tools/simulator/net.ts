// TCP of a virtual board: node:net behind windows as small as lwIP's, and only while the station has an address.

import { connect, isIPv4 } from "node:net";
import { BusError, type Value } from "../engine/engine.js";
import type { Clock } from "./clock.js";
import type { Post } from "./events.js";
import type { CapturedFlow, PcapWriter } from "./pcap.js";
import type { Radio } from "./radio.js";

const MAX_SOCKETS = 8;
const RECEIVE_WINDOW = 5744; // bytes; TCP_WND of lwIP on the boards, 4 segments
const SEND_BUFFER = 5744; // bytes; TCP_SND_BUF

/** What is used of a connection: one of node:net has all of it. */
export interface Dialled {
  on(event: "connect" | "drain" | "end" | "error" | "close", listener: () => void): unknown;
  on(event: "data", listener: (bytes: Buffer) => void): unknown;
  once(event: "close", listener: () => void): unknown;
  setNoDelay(on: boolean): unknown;
  write(bytes: Uint8Array): unknown;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  destroy(): unknown;
  destroySoon(): void;
  readonly writableLength: number;
  readonly localPort?: number | undefined;
}

/** Begins a connection to an IPv4 address. */
export type Dial = (address: string, port: number) => Dialled;

const dialOut: Dial = (host, port) => connect({ host, port, family: 4 });

interface Connection {
  socket: Dialled | undefined; // undefined while packets are lost before the connection is made
  readonly address: string;
  readonly port: number;
  received: Buffer[]; // what node:net has read
  receivedBytes: number;
  exposed: number; // how much of it is within the board's window
  granted: number; // what the last writable event allowed
  told: boolean; // a readable event is under way
  ended: boolean;
  release: () => void; // of the clock
  flow: CapturedFlow | undefined;
}

export interface NetOptions {
  radio: Radio;
  clock: Clock;
  post: Post;
  capture: PcapWriter | undefined;
  /** Default: over this computer's network. */
  dial?: Dial | undefined;
}

/** Client sockets by handle. When the station loses its address, every socket ends with an error. */
export class Net {
  private readonly options: NetOptions;
  private readonly connections = new Map<number, Connection>();
  private lastHandle = 0;

  constructor(options: NetOptions) {
    this.options = options;
  }

  /** Sockets that are open now. */
  get open(): number {
    return this.connections.size;
  }

  /** @throws BusError `bad-argument` for anything but an IPv4 address, `too-many` */
  connect(address: string, port: number): number {
    if (!isIPv4(address)) throw new BusError("bad-argument", `"${address}" is no IPv4 address`);
    if (this.connections.size >= MAX_SOCKETS)
      throw new BusError("too-many", `${MAX_SOCKETS} sockets are open`);
    this.lastHandle += 1;
    const handle = this.lastHandle;
    const connection: Connection = {
      socket: undefined,
      address,
      port,
      received: [],
      receivedBytes: 0,
      exposed: 0,
      granted: 0,
      told: false,
      ended: false,
      release: () => undefined,
      flow: undefined,
    };
    this.connections.set(handle, connection);
    if (this.options.radio.online) this.follow(handle, connection);
    else this.fail(handle, connection, "error");
    return handle;
  }

  read(handle: number, limit: number): Value {
    const connection = this.at(handle);
    if (connection.exposed === 0) return undefined;
    const all = Buffer.concat(connection.received);
    const taken = all.subarray(0, Math.min(limit, connection.exposed));
    const rest = all.subarray(taken.length);
    connection.received = rest.length > 0 ? [rest] : [];
    connection.receivedBytes = rest.length;
    connection.exposed -= taken.length;
    this.expose(handle, connection);
    if (rest.length < RECEIVE_WINDOW && this.options.radio.reachable) connection.socket?.resume();
    return new Uint8Array(taken);
  }

  write(handle: number, bytes: Uint8Array): void {
    const connection = this.at(handle);
    if (connection.ended || connection.socket === undefined || bytes.length > connection.granted) {
      const message = `${bytes.length} bytes written, ${connection.granted} can be`;
      throw new BusError("output-full", message);
    }
    connection.granted -= bytes.length;
    connection.socket.write(bytes);
    connection.flow?.sent(bytes);
  }

  close(handle: number): void {
    const connection = this.connections.get(handle);
    if (connection === undefined) return;
    this.connections.delete(handle);
    connection.release();
    connection.socket?.destroySoon();
    connection.socket?.resume(); // what still comes is thrown away, so that its end is seen
  }

  /** Called when packets stop or start coming through, or the address is gone. */
  reachChanged(): void {
    for (const [handle, connection] of this.connections) {
      if (connection.ended) continue;
      if (this.options.radio.online) this.follow(handle, connection);
      else this.fail(handle, connection, "error");
    }
  }

  /** The chip resets: no event comes, the other side sees the connection die. */
  reset(): void {
    for (const connection of this.connections.values()) {
      connection.release();
      connection.socket?.destroy();
    }
    this.connections.clear();
  }

  private at(handle: number): Connection {
    const connection = this.connections.get(handle);
    if (connection === undefined) throw new BusError("closed", `no open socket has handle ${handle}`);
    return connection;
  }

  /** Connects, stops or goes on, as the radio lets packets through. */
  private follow(handle: number, connection: Connection): void {
    if (this.options.radio.reachable) {
      connection.release();
      connection.release = this.options.clock.hold();
      if (connection.socket === undefined) this.dial(handle, connection);
      connection.socket?.uncork();
      if (connection.receivedBytes < RECEIVE_WINDOW) connection.socket?.resume();
    } else {
      connection.release();
      connection.socket?.cork();
      connection.socket?.pause();
    }
  }

  private dial(handle: number, connection: Connection): void {
    const socket = (this.options.dial ?? dialOut)(connection.address, connection.port);
    connection.socket = socket;
    socket.setNoDelay(true);
    socket.on("connect", () => {
      this.record(connection, socket);
      this.grant(handle, connection);
    });
    socket.on("drain", () => this.grant(handle, connection));
    socket.on("data", (bytes) => this.arrived(handle, connection, bytes));
    socket.on("end", () => this.fail(handle, connection, "closed"));
    socket.on("error", () => this.fail(handle, connection, "error"));
    socket.on("close", () => this.fail(handle, connection, "error"));
  }

  private grant(handle: number, connection: Connection): void {
    if (!this.has(handle, connection) || connection.ended) return;
    this.options.post(() => {
      if (!this.has(handle, connection) || connection.ended) return undefined;
      const queued = connection.socket?.writableLength ?? 0;
      connection.granted = Math.max(0, SEND_BUFFER - queued);
      return ["tcp.writable", handle, connection.granted];
    });
  }

  private arrived(handle: number, connection: Connection, bytes: Buffer): void {
    if (!this.has(handle, connection)) return;
    connection.flow?.received(bytes);
    connection.received.push(bytes);
    connection.receivedBytes += bytes.length;
    if (connection.receivedBytes >= RECEIVE_WINDOW) connection.socket?.pause();
    this.expose(handle, connection);
  }

  /** Lets the window take what it has room for, and tells of it. */
  private expose(handle: number, connection: Connection): void {
    const exposed = Math.min(connection.receivedBytes, RECEIVE_WINDOW);
    if (exposed === connection.exposed) return;
    connection.exposed = exposed;
    if (connection.told) return;
    connection.told = true;
    this.options.post(() => {
      connection.told = false;
      if (!this.has(handle, connection) || connection.exposed === 0) return undefined;
      return ["tcp.readable", handle, connection.exposed];
    });
  }

  private record(connection: Connection, socket: Dialled): void {
    const { capture, radio } = this.options;
    if (capture === undefined || radio.address === undefined) return;
    const device = { address: radio.address, port: socket.localPort ?? 0 };
    const flow = capture.open(device, { address: connection.address, port: connection.port });
    connection.flow = flow;
    socket.once("close", () => flow.closed());
  }

  /** Tells of the end once; what has arrived can still be read. */
  private fail(handle: number, connection: Connection, why: "closed" | "error"): void {
    if (connection.ended) return;
    connection.ended = true;
    connection.release();
    if (why === "error") connection.socket?.destroy();
    if (!this.has(handle, connection)) return;
    this.options.post(() => (this.has(handle, connection) ? ["tcp.error", handle, why] : undefined));
  }

  private has(handle: number, connection: Connection): boolean {
    return this.connections.get(handle) === connection;
  }
}
