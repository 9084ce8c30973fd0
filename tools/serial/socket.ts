// A serial port behind plain TCP (`socket://host:port`): bytes only, no modem lines, no baud rate.

import type { Socket } from "node:net";
import { connectTo, hangUp, writeTo } from "./connection.js";
import { baudRateFixed, noModemLines, portBusy, portClosed, portLost } from "./error.js";
import { Inbox } from "./inbox.js";
import type { ControlLines, SerialPort } from "./port.js";

/** How long a server has to hang up on us because it has a client already. */
const REFUSAL_MS = 80;
/** Then so many turns of the event loop: where it is busy, timers run before what has come is read. */
const REFUSAL_TURNS = 5;
/** ...and to close once its reason has come. */
const REFUSAL_END_MS = 1000;
const REFUSAL = /port-busy|in use/i;

class SocketPort implements SerialPort {
  readonly name: string;
  readonly hasLines = false;
  readonly hasBaudRate = false;
  readonly baudRate: number;
  private readonly socket: Socket;
  private readonly inbox: Inbox;
  private firstText = "";
  private closed = false;

  constructor(name: string, socket: Socket, baudRate: number) {
    this.name = name;
    this.socket = socket;
    this.baudRate = baudRate;
    this.inbox = new Inbox((bytes) => this.lose(`nobody read ${bytes} bytes`));
    socket.on("data", (bytes: Buffer) => {
      if (this.firstText.length < 80) this.firstText += bytes.toString("latin1");
      this.inbox.push(new Uint8Array(bytes));
    });
    socket.on("error", (error) => this.lose(error.message));
    socket.on("close", () => this.lose("the other end hung up"));
  }

  /** Waits a moment for a refusal. @throws PortError `port-busy`, `port-lost` */
  async settle(): Promise<void> {
    await this.lostWithin(REFUSAL_MS);
    for (let i = 0; i < REFUSAL_TURNS; i += 1) await new Promise((resolve) => setImmediate(resolve));
    if (REFUSAL.test(this.firstText)) await this.lostWithin(REFUSAL_END_MS);
    if (this.inbox.lost) throw this.inbox.lost;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.check();
    await writeTo(this.socket, bytes, (why) => this.inbox.lost ?? portLost(this.name, why));
  }

  listen(onBytes: ((bytes: Uint8Array) => void) | undefined): void {
    this.check();
    this.inbox.listen(onBytes);
  }

  onLost(callback: (error: Error) => void): void {
    this.inbox.onLost(callback);
  }

  async setLines(_lines: ControlLines): Promise<void> {
    this.check();
    throw noModemLines(this.name);
  }

  async setBaudRate(_baud: number): Promise<void> {
    this.check();
    throw baudRateFixed(this.name);
  }

  async close(): Promise<void> {
    this.closed = true;
    await hangUp(this.socket);
  }

  private lostWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.inbox.onLost(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private check(): void {
    if (this.closed) throw portClosed(this.name);
    if (this.inbox.lost) throw this.inbox.lost;
  }

  private lose(why: string): void {
    if (this.closed) return;
    this.inbox.lose(
      REFUSAL.test(this.firstText) ? portBusy(this.name, this.firstText.trim()) : portLost(this.name, why),
    );
    this.socket.destroy();
  }
}

/** @throws PortError `port-not-found`, `port-busy` */
export async function openSocket(name: string, options: { baudRate: number }): Promise<SerialPort> {
  const port = new SocketPort(name, await connectTo(name), options.baudRate);
  await port.settle();
  return port;
}
