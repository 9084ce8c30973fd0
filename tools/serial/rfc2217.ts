// A serial port behind a telnet server (`rfc2217://host:port`, RFC 2217): bytes, modem lines and baud rate.

import type { Socket } from "node:net";
import { comPortCommand, ComPort, Control, encodeBaudRate, SERVER_OFFSET } from "./com-port.js";
import { connectTo, hangUp, writeTo } from "./connection.js";
import { portBusy, PortError, portClosed, portLost } from "./error.js";
import { Inbox } from "./inbox.js";
import type { ControlLines, SerialPort } from "./port.js";
import { escapeData, Option, optionRequest, TelnetReader, Verb } from "./telnet.js";

const ANSWER_TIMEOUT_MS = 5000;

interface Waiter {
  readonly command: number;
  resolve(): void;
  reject(error: Error): void;
}

class Rfc2217Port implements SerialPort {
  readonly name: string;
  readonly hasLines = true;
  readonly hasBaudRate = true;
  private rate = 0;
  private readonly socket: Socket;
  private readonly telnet: TelnetReader;
  private readonly inbox: Inbox;
  private readonly agreed = new Map<string, boolean>(); // what we said last about an option
  private waiters: Waiter[] = [];
  private comPort: "asked" | "yes" | "no" = "asked";
  private onComPort: () => void = () => undefined;
  private firstText = "";
  private closed = false;

  constructor(name: string, socket: Socket) {
    this.name = name;
    this.socket = socket;
    this.inbox = new Inbox((bytes) => this.lose(`nobody read ${bytes} bytes`));
    this.telnet = new TelnetReader({
      onData: (bytes) => this.receive(bytes),
      onOption: (verb, option) => this.negotiate(verb, option),
      onSubnegotiation: (option, payload) => this.answered(option, payload),
    });
    socket.on("data", (bytes: Buffer) => this.telnet.push(bytes));
    socket.on("error", (error) => this.lose(error.message));
    socket.on("close", () => this.lose("the other end hung up"));
  }

  get baudRate(): number {
    return this.rate;
  }

  /** Agrees on the COM-PORT option and on 8N1 without flow control, both lines released. */
  async start(baudRate: number): Promise<void> {
    for (const option of [Option.BINARY, Option.SUPPRESS_GO_AHEAD]) {
      this.say(Verb.DO, option);
      this.say(Verb.WILL, option);
    }
    this.say(Verb.WILL, Option.COM_PORT);
    await this.comPortAgreed();
    await Promise.all([
      this.command(ComPort.SET_BAUDRATE, encodeBaudRate(baudRate)),
      this.command(ComPort.SET_DATASIZE, Uint8Array.of(8)),
      this.command(ComPort.SET_PARITY, Uint8Array.of(1)),
      this.command(ComPort.SET_STOPSIZE, Uint8Array.of(1)),
      this.command(ComPort.SET_CONTROL, Uint8Array.of(Control.NO_FLOW)),
    ]);
    this.rate = baudRate;
    await this.setLines({ dtr: false, rts: false });
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.check();
    await this.send(escapeData(bytes));
  }

  listen(onBytes: ((bytes: Uint8Array) => void) | undefined): void {
    this.check();
    this.inbox.listen(onBytes);
  }

  onLost(callback: (error: Error) => void): void {
    this.inbox.onLost(callback);
  }

  /** DTR goes first: with both lines asserted a board with the usual two transistors is neither reset nor strapped. */
  async setLines(lines: ControlLines): Promise<void> {
    this.check();
    const values: number[] = [];
    if (lines.dtr !== undefined) values.push(lines.dtr ? Control.DTR_ON : Control.DTR_OFF);
    if (lines.rts !== undefined) values.push(lines.rts ? Control.RTS_ON : Control.RTS_OFF);
    await Promise.all(values.map((value) => this.command(ComPort.SET_CONTROL, Uint8Array.of(value))));
  }

  async setBaudRate(baud: number): Promise<void> {
    this.check();
    await this.command(ComPort.SET_BAUDRATE, encodeBaudRate(baud));
    this.rate = baud;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.fail(portClosed(this.name));
    await hangUp(this.socket);
  }

  /** Sends a command and waits for the server's answer to it. */
  private command(command: number, payload: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters = this.waiters.filter((other) => other !== waiter);
        reject(notRfc2217(this.name, `no answer to command ${command} within ${ANSWER_TIMEOUT_MS} ms`));
      }, ANSWER_TIMEOUT_MS);
      const waiter: Waiter = {
        command,
        resolve: () => (clearTimeout(timer), resolve()),
        reject: (error) => (clearTimeout(timer), reject(error)),
      };
      this.waiters.push(waiter);
      this.send(comPortCommand(command, payload)).catch(reject);
    });
  }

  private answered(option: number, payload: Uint8Array): void {
    if (option !== Option.COM_PORT || payload.length === 0) return;
    const command = payload[0]! - SERVER_OFFSET;
    const index = this.waiters.findIndex((waiter) => waiter.command === command);
    if (index >= 0) this.waiters.splice(index, 1)[0]!.resolve();
  }

  private negotiate(verb: number, option: number): void {
    const known = option === Option.BINARY || option === Option.SUPPRESS_GO_AHEAD;
    if (verb === Verb.WILL) this.say(known ? Verb.DO : Verb.DONT, option);
    if (verb === Verb.WONT) this.say(Verb.DONT, option);
    if (verb === Verb.DO) this.say(known || option === Option.COM_PORT ? Verb.WILL : Verb.WONT, option);
    if (verb === Verb.DONT) this.say(Verb.WONT, option);
    if (option === Option.COM_PORT && (verb === Verb.DO || verb === Verb.DONT)) {
      this.comPort = verb === Verb.DO ? "yes" : "no";
      this.onComPort();
    }
  }

  /** States our side of an option once: an answer to an answer would go on for ever (RFC 854). */
  private say(verb: number, option: number): void {
    const side = verb === Verb.WILL || verb === Verb.WONT ? "us" : "them";
    const yes = verb === Verb.WILL || verb === Verb.DO;
    const key = `${side} ${option}`;
    if (this.agreed.get(key) === yes) return;
    if (this.agreed.size >= 512) return;
    this.agreed.set(key, yes);
    this.send(optionRequest(verb, option)).catch(() => undefined); // a loss is told by the socket
  }

  private comPortAgreed(): Promise<void> {
    return new Promise((resolve, reject) => {
      const why = "the server does not offer the COM-PORT option";
      const timer = setTimeout(() => reject(notRfc2217(this.name, why)), ANSWER_TIMEOUT_MS);
      const settle = (error?: Error) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.onComPort = () => settle(this.comPort === "yes" ? undefined : notRfc2217(this.name, why));
      this.inbox.onLost(settle);
      if (this.comPort !== "asked") this.onComPort();
    });
  }

  private receive(bytes: Uint8Array): void {
    if (this.firstText.length < 80) this.firstText += Buffer.from(bytes).toString("latin1");
    this.inbox.push(bytes);
  }

  private send(bytes: Uint8Array): Promise<void> {
    return writeTo(this.socket, bytes, (why) => this.inbox.lost ?? portLost(this.name, why));
  }

  private check(): void {
    if (this.closed) throw portClosed(this.name);
    if (this.inbox.lost) throw this.inbox.lost;
  }

  private lose(why: string): void {
    if (this.closed) return;
    const refused = this.comPort === "asked" && /port-busy|in use/i.test(this.firstText);
    const error = refused ? portBusy(this.name, this.firstText.trim()) : portLost(this.name, why);
    this.inbox.lose(error);
    this.fail(error);
    this.socket.destroy();
  }

  private fail(error: Error): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(error);
  }
}

function notRfc2217(name: string, why: string): PortError {
  const help = "If it is a plain TCP bridge, write socket:// in place of rfc2217://.";
  return new PortError("no-answer", `${name}: ${why}`, help);
}

/** @throws PortError `port-not-found`, `port-busy`, `no-answer` when no RFC 2217 server is there */
export async function openRfc2217(name: string, options: { baudRate: number }): Promise<SerialPort> {
  const port = new Rfc2217Port(name, await connectTo(name));
  try {
    await port.start(options.baudRate);
  } catch (error) {
    await port.close();
    throw error;
  }
  return port;
}
