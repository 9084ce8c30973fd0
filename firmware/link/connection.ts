// One connection of the HTTP client: hands the socket's events on, and which connection they are from.
//
// A class, because its methods lie in the read-only root: three functions made for each socket cost the device 750 bytes.

import type { OpenTcp, Tcp, TcpOptions } from "../device/types.js";

export interface ConnectionOwner {
  /** As in `TcpOptions`; none before the socket is there. */
  onReadable(tcp: Tcp): void;
  onWritable(tcp: Tcp, room: number): void;
  onError(tcp: Tcp, why: "closed" | "error"): void;
}

export class Connection implements TcpOptions {
  readonly address: string;
  readonly port: number;
  private readonly owner: ConnectionOwner;
  private tcp: Tcp | undefined;

  constructor(owner: ConnectionOwner, address: string, port: number) {
    this.owner = owner;
    this.address = address;
    this.port = port;
  }

  /** Opens the socket. Throws as `tcp`. */
  open(tcp: OpenTcp): Tcp {
    return (this.tcp = tcp(this));
  }

  onReadable(): void {
    if (this.tcp) this.owner.onReadable(this.tcp);
  }

  onWritable(room: number): void {
    if (this.tcp) this.owner.onWritable(this.tcp, room);
  }

  onError(why: "closed" | "error"): void {
    if (this.tcp) this.owner.onError(this.tcp, why);
  }
}
