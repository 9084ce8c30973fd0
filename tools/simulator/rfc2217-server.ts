// The server's side of RFC 2217: one telnet connection becomes a client of the board's serial line, modem lines included.

import type { Socket } from "node:net";
import {
  comPortCommand,
  ComPort,
  Control,
  decodeBaudRate,
  encodeBaudRate,
  SERVER_OFFSET,
} from "../serial/com-port.js";
import { escapeData, Option, optionRequest, TelnetReader, Verb } from "../serial/telnet.js";
import { sendOrDrop } from "./backlog.js";
import { DEFAULT_BAUD_RATE, type Client, type UartLine } from "./uart.js";

const MAX_BAUD_RATE = 5_000_000;
/** CTS, DSR and carrier: on, so that a client with flow control does not wait for ever (RFC 2217, NOTIFY-MODEMSTATE). */
const MODEM_STATE = 0xb0;

export class Rfc2217Session implements Client {
  readonly hasBaudRate = true;
  private readonly socket: Socket;
  private readonly uart: UartLine;
  private readonly telnet: TelnetReader;
  private readonly agreed = new Map<string, boolean>();
  private baud = DEFAULT_BAUD_RATE;
  private dtr = false;
  private rts = false;

  /** The line must have been attached for this client by the caller, before `start`. */
  constructor(socket: Socket, uart: UartLine) {
    this.socket = socket;
    this.uart = uart;
    this.telnet = new TelnetReader({
      onData: (bytes) => uart.receive(this, bytes),
      onOption: (verb, option) => this.negotiate(verb, option),
      onSubnegotiation: (option, payload) => this.command(option, payload),
    });
  }

  start(): void {
    this.uart.setClientRate(this, this.baud);
    for (const option of [Option.BINARY, Option.SUPPRESS_GO_AHEAD]) {
      this.say(Verb.WILL, option);
      this.say(Verb.DO, option);
    }
    this.say(Verb.DO, Option.COM_PORT);
    this.socket.on("data", (bytes: Buffer) => this.telnet.push(bytes));
  }

  send(bytes: Uint8Array): void {
    sendOrDrop(this.socket, escapeData(bytes));
  }

  private negotiate(verb: number, option: number): void {
    const known = option === Option.BINARY || option === Option.SUPPRESS_GO_AHEAD;
    if (verb === Verb.WILL) {
      this.say(known || option === Option.COM_PORT ? Verb.DO : Verb.DONT, option);
      if (option === Option.COM_PORT) this.answer(ComPort.NOTIFY_MODEMSTATE, Uint8Array.of(MODEM_STATE));
    }
    if (verb === Verb.DO) this.say(known ? Verb.WILL : Verb.WONT, option);
    if (verb === Verb.WONT) this.say(Verb.DONT, option);
    if (verb === Verb.DONT) this.say(Verb.WONT, option);
  }

  private say(verb: number, option: number): void {
    const side = verb === Verb.WILL || verb === Verb.WONT ? "us" : "them";
    const yes = verb === Verb.WILL || verb === Verb.DO;
    const key = `${side} ${option}`;
    if (this.agreed.get(key) === yes) return;
    this.agreed.set(key, yes); // at most 512 keys: an option is one byte
    sendOrDrop(this.socket, optionRequest(verb, option));
  }

  private command(option: number, payload: Uint8Array): void {
    if (option !== Option.COM_PORT || payload.length === 0) return;
    const [command, ...rest] = payload;
    const value = Uint8Array.from(rest);
    switch (command) {
      case ComPort.SIGNATURE:
        return this.answer(command, Buffer.from("Broome virtual board"));
      case ComPort.SET_BAUDRATE:
        return this.setBaudRate(decodeBaudRate(value));
      case ComPort.SET_CONTROL:
        return this.setControl(value[0]);
      case ComPort.SET_DATASIZE:
        return this.answer(command, Uint8Array.of(8)); // the ROM and the firmware are 8N1, whatever is asked
      case ComPort.SET_PARITY:
      case ComPort.SET_STOPSIZE:
        return this.answer(command, Uint8Array.of(1));
      case ComPort.SET_LINESTATE_MASK:
      case ComPort.SET_MODEMSTATE_MASK:
      case ComPort.PURGE_DATA:
        return this.answer(command, value.subarray(0, 1));
    }
  }

  private setBaudRate(wanted: number | undefined): void {
    if (wanted !== undefined && wanted > 0 && wanted <= MAX_BAUD_RATE) {
      this.baud = wanted;
      this.uart.setClientRate(this, wanted);
    }
    this.answer(ComPort.SET_BAUDRATE, encodeBaudRate(this.baud)); // also the answer to a question (0)
  }

  private setControl(value: number | undefined): void {
    switch (value) {
      case Control.DTR_ON:
      case Control.DTR_OFF:
        this.dtr = value === Control.DTR_ON;
        this.uart.setLines(this, { dtr: this.dtr, rts: this.rts });
        return this.control(value);
      case Control.RTS_ON:
      case Control.RTS_OFF:
        this.rts = value === Control.RTS_ON;
        this.uart.setLines(this, { dtr: this.dtr, rts: this.rts });
        return this.control(value);
      case Control.ASK_DTR:
        return this.control(this.dtr ? Control.DTR_ON : Control.DTR_OFF);
      case Control.ASK_RTS:
        return this.control(this.rts ? Control.RTS_ON : Control.RTS_OFF);
      case Control.ASK_BREAK:
      case Control.BREAK_ON:
      case Control.BREAK_OFF:
        return this.control(Control.BREAK_OFF);
      default:
        return this.control(Control.NO_FLOW);
    }
  }

  private control(value: number): void {
    this.answer(ComPort.SET_CONTROL, Uint8Array.of(value));
  }

  private answer(command: number, payload: Uint8Array): void {
    sendOrDrop(this.socket, comPortCommand(command + SERVER_OFFSET, payload));
  }
}
