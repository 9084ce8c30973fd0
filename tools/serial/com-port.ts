// The COM-PORT option's commands and values (RFC 2217, sections 3 and 4), for our client and the virtual board's server.

import { Option, subnegotiation } from "./telnet.js";

/** Client to server; the server answers with the same command plus 100. */
export const ComPort = {
  SIGNATURE: 0,
  SET_BAUDRATE: 1,
  SET_DATASIZE: 2,
  SET_PARITY: 3,
  SET_STOPSIZE: 4,
  SET_CONTROL: 5,
  NOTIFY_LINESTATE: 6,
  NOTIFY_MODEMSTATE: 7,
  FLOWCONTROL_SUSPEND: 8,
  FLOWCONTROL_RESUME: 9,
  SET_LINESTATE_MASK: 10,
  SET_MODEMSTATE_MASK: 11,
  PURGE_DATA: 12,
} as const;

export const SERVER_OFFSET = 100;

/** Values of SET_CONTROL. */
export const Control = {
  ASK_FLOW: 0,
  NO_FLOW: 1,
  ASK_BREAK: 4,
  BREAK_ON: 5,
  BREAK_OFF: 6,
  ASK_DTR: 7,
  DTR_ON: 8,
  DTR_OFF: 9,
  ASK_RTS: 10,
  RTS_ON: 11,
  RTS_OFF: 12,
} as const;

/** What a server of ours says before it hangs up on a second client. The word `port-busy` is what our clients look for. */
export const BUSY_NOTICE = "port-busy: another client is connected to this board's serial port\r\n";

export function comPortCommand(command: number, payload: Uint8Array): Uint8Array {
  return subnegotiation(Option.COM_PORT, Uint8Array.of(command, ...payload));
}

export function encodeBaudRate(baud: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, baud, false);
  return bytes;
}

/** Undefined when the payload is not four bytes. */
export function decodeBaudRate(payload: Uint8Array): number | undefined {
  if (payload.length !== 4) return undefined;
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, false);
}
