// The board's serial line: one client at a time, whatever port it came by; nobody there means that the bytes are lost.

/** DTR and RTS as the client's driver set them: true = asserted. */
export interface Lines {
  readonly dtr: boolean;
  readonly rts: boolean;
}

/** The line as the board sees it. Every `on...` adds a listener. */
export interface Uart {
  /** The client's rate, as last set. */
  readonly baudRate: number;
  readonly connected: boolean;
  toHost(bytes: Uint8Array): void;
  onFromHost(listener: (bytes: Uint8Array) => void): void;
  onLines(listener: (lines: Lines) => void): void;
  onBaudRate(listener: (baud: number) => void): void;
  onClient(listener: (connected: boolean) => void): void;
  /** The board's own rate. While it differs from that of a client whose port has one, both read garbage, as on a wire. */
  setBoardRate(baud: number | "auto"): void;
}

/** A client of the line, as a port offers it. */
export interface Client {
  send(bytes: Uint8Array): void;
  /** True where its rate means something (not on plain TCP, and a pty's is whatever it was). */
  readonly hasBaudRate: boolean;
}

export const DEFAULT_BAUD_RATE = 115200;
const RATE_TOLERANCE = 0.04; // a UART still reads right this far off

export class UartLine implements Uart {
  private client: Client | undefined;
  private rate = DEFAULT_BAUD_RATE;
  private boardRate: number | "auto" = "auto";
  private readonly fromHost: ((bytes: Uint8Array) => void)[] = [];
  private readonly lines: ((lines: Lines) => void)[] = [];
  private readonly rates: ((baud: number) => void)[] = [];
  private readonly clients: ((connected: boolean) => void)[] = [];
  private readonly freed: (() => void)[] = [];

  get baudRate(): number {
    return this.rate;
  }

  get connected(): boolean {
    return this.client !== undefined;
  }

  toHost(bytes: Uint8Array): void {
    this.client?.send(this.garbled ? garble(bytes) : bytes);
  }

  onFromHost(listener: (bytes: Uint8Array) => void): void {
    this.fromHost.push(listener);
  }

  onLines(listener: (lines: Lines) => void): void {
    this.lines.push(listener);
  }

  onBaudRate(listener: (baud: number) => void): void {
    this.rates.push(listener);
  }

  onClient(listener: (connected: boolean) => void): void {
    this.clients.push(listener);
  }

  setBoardRate(baud: number | "auto"): void {
    this.boardRate = baud;
  }

  /** For ports: called when a client left, so that one that was refused may try again. */
  onFreed(listener: () => void): void {
    this.freed.push(listener);
  }

  /** For ports: false when another client has the line. */
  attach(client: Client): boolean {
    if (this.client === client) return true;
    if (this.client) return false;
    this.client = client;
    for (const listener of this.clients) listener(true);
    return true;
  }

  /** For ports: the client has gone; its lines are released with it. */
  detach(client: Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.tellLines({ dtr: false, rts: false });
    for (const listener of this.clients) listener(false);
    for (const listener of this.freed) listener();
  }

  /** For ports: bytes from a client; dropped unless it has the line. */
  receive(client: Client, bytes: Uint8Array): void {
    if (this.client !== client || bytes.length === 0) return;
    const heard = this.garbled ? garble(bytes) : bytes;
    for (const listener of this.fromHost) listener(heard);
  }

  setLines(client: Client, lines: Lines): void {
    if (this.client === client) this.tellLines(lines);
  }

  /** Also of a pty that nobody holds open: `stty 1200` opens and closes it faster than anybody can look. */
  setClientRate(client: Client, baud: number): void {
    if (this.client !== undefined && this.client !== client) return;
    this.rate = baud;
    for (const listener of this.rates) listener(baud);
  }

  private tellLines(lines: Lines): void {
    for (const listener of this.lines) listener(lines);
  }

  private get garbled(): boolean {
    if (this.boardRate === "auto" || !this.client?.hasBaudRate) return false;
    return Math.abs(this.rate / this.boardRate - 1) > RATE_TOLERANCE;
  }
}

/** Bits sampled at the wrong moments: never the bytes that were sent, and always the same for the same bytes. */
function garble(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => (byte * 167 + index * 31 + 0x5f) & 0xfe);
}
