// Telnet's framing (RFC 854, RFC 855), as far as RFC 2217 needs it: data, option requests, subnegotiations. Pure.

const SE = 240;
const SB = 250;
const IAC = 255;

/** The four verbs of option negotiation. */
export const Verb = { WILL: 251, WONT: 252, DO: 253, DONT: 254 } as const;
/** Options that both of our ends use (RFC 856, RFC 858, RFC 2217). */
export const Option = { BINARY: 0, SUPPRESS_GO_AHEAD: 3, COM_PORT: 44 } as const;

const MAX_SUBNEGOTIATION = 256; // bytes; the longest of RFC 2217 is a signature

/** Data as it travels: IAC doubled. */
export function escapeData(bytes: Uint8Array): Uint8Array {
  let count = 0;
  for (const byte of bytes) if (byte === IAC) count += 1;
  if (count === 0) return bytes;
  const escaped = new Uint8Array(bytes.length + count);
  let at = 0;
  for (const byte of bytes) {
    escaped[at++] = byte;
    if (byte === IAC) escaped[at++] = IAC;
  }
  return escaped;
}

export function optionRequest(verb: number, option: number): Uint8Array {
  return Uint8Array.of(IAC, verb, option);
}

export function subnegotiation(option: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(IAC, SB, option, ...escapeData(payload), IAC, SE);
}

export interface TelnetEvents {
  onData(bytes: Uint8Array): void;
  onOption(verb: number, option: number): void;
  /** At most 256 bytes; longer ones are dropped whole. */
  onSubnegotiation(option: number, payload: Uint8Array): void;
}

type State = "data" | "iac" | "verb" | "sub" | "sub-iac";

/** Takes a telnet stream apart, however it is cut up. */
export class TelnetReader {
  private readonly events: TelnetEvents;
  private state: State = "data";
  private verb = 0;
  private sub: number[] = [];
  private data: number[] = [];

  constructor(events: TelnetEvents) {
    this.events = events;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.state = this.take(byte);
    this.flush();
  }

  private take(byte: number): State {
    switch (this.state) {
      case "data":
        if (byte === IAC) return "iac";
        this.data.push(byte);
        return "data";
      case "iac":
        return this.command(byte);
      case "verb":
        this.flush();
        this.events.onOption(this.verb, byte);
        return "data";
      case "sub":
        if (byte === IAC) return "sub-iac";
        this.keep(byte);
        return "sub";
      case "sub-iac":
        if (byte === SE) return this.endSub();
        if (byte !== IAC) return this.command(byte); // no SE: the subnegotiation was cut off, read the command
        this.keep(byte);
        return "sub";
    }
  }

  private command(byte: number): State {
    if (byte === IAC) {
      this.data.push(IAC);
      return "data";
    }
    if (byte === SB) {
      this.sub = [];
      return "sub";
    }
    if (byte < Verb.WILL) return "data"; // NOP, break and the like carry nothing for us
    this.verb = byte;
    return "verb";
  }

  private keep(byte: number): void {
    if (this.sub.length <= MAX_SUBNEGOTIATION + 1) this.sub.push(byte);
  }

  private endSub(): State {
    this.flush();
    const [option, ...payload] = this.sub;
    if (option !== undefined && payload.length <= MAX_SUBNEGOTIATION) {
      this.events.onSubnegotiation(option, Uint8Array.from(payload));
    }
    return "data";
  }

  private flush(): void {
    if (this.data.length === 0) return;
    const bytes = Uint8Array.from(this.data);
    this.data = [];
    this.events.onData(bytes);
  }
}
