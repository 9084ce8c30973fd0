// `device/tcp` on the SDK's ECMA-419 TCP socket (clause 17, `embedded:io/socket/tcp`).

import * as module from "embedded:io/socket/tcp";
import type { OpenTcp, Tcp, TcpOptions } from "../types.js";
import { bufferOf } from "./bytes.js";

interface SdkSocket {
  /** What the options named: callbacks are called on the socket (ECMA-419, Base Class Pattern). */
  readonly target: Connection;
  /** At most what onReadable announced, or it throws. */
  read(limit: number): ArrayBuffer | undefined;
  write(bytes: ArrayBuffer): void;
  close(): void;
}
interface SdkOptions {
  address: string;
  port: number;
  nodelay: boolean;
  target: Connection;
  onReadable(this: SdkSocket, available: number): void;
  onWritable(this: SdkSocket, writable: number): void;
  onError(this: SdkSocket): void;
}
const Socket = module.default as unknown as new (options: SdkOptions) => SdkSocket;

/** The SDK tells neither how much is left to be read or written nor why a connection ended, so this counts. */
class Connection implements Tcp {
  private socket: SdkSocket | undefined;
  private readable = 0;
  private writable = 0;
  private connected = false;
  private failed = false;
  private readonly options: TcpOptions;

  constructor(options: TcpOptions) {
    this.options = options;
    this.socket = new Socket({
      address: options.address,
      port: options.port,
      nodelay: true, // a request is written at once, and its answer awaited
      target: this,
      onReadable,
      onWritable,
      onError,
    });
  }

  read(limit?: number): Uint8Array | undefined {
    const socket = this.open("read");
    const length = Math.min(this.readable, limit ?? this.readable);
    if (length === 0) return undefined;
    const bytes = socket.read(length);
    if (bytes === undefined) return undefined;
    this.readable -= bytes.byteLength;
    return new Uint8Array(bytes);
  }

  write(bytes: Uint8Array): void {
    const socket = this.open("write");
    if (bytes.length > this.writable) throw fault("output-full", `${bytes.length} > ${this.writable}`);
    this.writable -= bytes.length;
    if (bytes.length > 0) socket.write(bufferOf(bytes));
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  private open(what: string): SdkSocket {
    if (this.socket) return this.socket;
    throw new Error(`${what} after close`);
  }

  nowReadable(available: number): void {
    if (!this.socket) return;
    this.readable = available;
    this.options.onReadable(available);
  }

  nowWritable(writable: number): void {
    if (!this.socket) return;
    this.connected = true;
    this.writable = writable;
    this.options.onWritable(writable);
  }

  /** An end after the connection stood is taken for an orderly one: what the peer meant to send has its length with it. */
  ended(): void {
    if (!this.socket || this.failed) return;
    this.failed = true;
    this.options.onError(this.connected ? "closed" : "error");
  }
}

// Functions of the module lie in the read-only root; closures of each socket would take its memory.

function onReadable(this: SdkSocket, available: number): void {
  this.target.nowReadable(available);
}

function onWritable(this: SdkSocket, writable: number): void {
  this.target.nowWritable(writable);
}

function onError(this: SdkSocket): void {
  this.target.ended();
}

function fault(code: string, why: string): Error {
  return Object.assign(new Error(`${code}: ${why}`), { code });
}

const open: OpenTcp = (options) => new Connection(options);

export default open;
