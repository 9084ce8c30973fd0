// A conversation with a board that goes on when its port vanishes and comes back: what `broome monitor` is made of.

import type { SerialPort } from "./port.js";

const RETRY_MS = 300;
const RESET_HOLD_MS = 100;
/** A chip's receive FIFO holds 128 bytes; a paste is sent in pieces that it can take. */
const PIECE = 64; // bytes
const PIECE_MS = 10;
/** Errors of opening that may pass: the board restarts, another program lets go, the system sets the rights late. */
const PASSING = ["port-not-found", "port-busy", "port-permission", "port-lost", "no-answer"];

export interface MonitorOptions {
  open(): Promise<SerialPort>;
  onBytes(bytes: Uint8Array): void;
  /** Something to tell the user: lost, back again. */
  onNote(text: string): void;
}

export class Monitor {
  /** How often the port came back. */
  reconnects = 0;
  private readonly options: MonitorOptions;
  private port: SerialPort | undefined;
  private sending: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(options: MonitorOptions) {
    this.options = options;
  }

  /** Opens the port and listens; `reset` restarts the board, where the port can. @throws what opening throws */
  async start(reset: boolean): Promise<void> {
    const port = await this.options.open();
    this.adopt(port);
    if (reset && port.hasLines) await this.reset();
  }

  /** A pulse on EN. Does nothing on a port without lines. */
  async reset(): Promise<void> {
    const { port } = this;
    if (!port?.hasLines) return;
    await port.setLines({ dtr: false, rts: true });
    await pause(RESET_HOLD_MS);
    await port.setLines({ rts: false });
  }

  /** Bytes to the board, in order. While the port is away they are lost, as on a wire. */
  send(bytes: Uint8Array): Promise<void> {
    this.sending = this.sending.then(async () => {
      for (let at = 0; at < bytes.length; at += PIECE) {
        await this.port?.write(bytes.subarray(at, at + PIECE)).catch(() => undefined); // a loss is told below
        if (at + PIECE < bytes.length) await pause(PIECE_MS);
      }
    });
    return this.sending;
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.port?.close();
  }

  private adopt(port: SerialPort): void {
    this.port = port;
    port.onLost((error) => void this.reconnect(error));
    port.listen(this.options.onBytes);
  }

  private async reconnect(error: Error): Promise<void> {
    this.port = undefined;
    this.options.onNote(`${error.message}; waiting for it`);
    while (!this.closed) {
      await pause(RETRY_MS);
      const port = await this.tryOpen();
      if (!port) continue;
      if (this.closed) return port.close();
      this.reconnects += 1;
      this.options.onNote(`${port.name} is back`);
      return this.adopt(port);
    }
  }

  private async tryOpen(): Promise<SerialPort | undefined> {
    try {
      return await this.options.open();
    } catch (error) {
      if (PASSING.includes((error as { code?: string }).code ?? "")) return undefined;
      this.options.onNote((error as Error).message); // will not pass, but the user may do something about it
      return undefined;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
