// `device/tcp` of the virtual platform: a client socket at the board's network.

import type { OpenTcp, Tcp, TcpOptions } from "../types.js";
import { bytesOf, call, listen, own, ownerOf, SOCKET, type BusValue } from "./bus.js";

class Socket implements Tcp {
  readonly options: TcpOptions;
  private readonly handle: number;
  private closed = false;

  constructor(options: TcpOptions) {
    this.options = options;
    this.handle = call("tcp.open", options.address, options.port) as number;
    own(SOCKET, this.handle, this);
  }

  read(limit?: number): Uint8Array | undefined {
    if (this.closed) throw new Error("read after close");
    const bytes = call("tcp.read", this.handle, limit);
    return bytes === undefined || bytes === null ? undefined : bytesOf(bytes);
  }

  write(bytes: Uint8Array): void {
    if (this.closed) throw new Error("write after close");
    call("tcp.write", this.handle, bytes);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    own(SOCKET, this.handle, undefined);
    call("tcp.close", this.handle);
  }
}

function optionsOf(handle: BusValue): TcpOptions | undefined {
  return (ownerOf(SOCKET, handle) as Socket | undefined)?.options;
}

function readable(handle: BusValue, available: BusValue): void {
  optionsOf(handle)?.onReadable(available as number);
}

function writable(handle: BusValue, room: BusValue): void {
  optionsOf(handle)?.onWritable(room as number);
}

function failed(handle: BusValue, why: BusValue): void {
  optionsOf(handle)?.onError(why === "closed" ? "closed" : "error");
}

const open: OpenTcp = (options) => {
  listen("tcp.readable", readable);
  listen("tcp.writable", writable);
  listen("tcp.error", failed);
  return new Socket(options);
};

export default open;
