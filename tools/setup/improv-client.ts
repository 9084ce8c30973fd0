// The host's side of Improv over serial (improv-wifi.com/serial), and what our firmware's log says besides.

import { Command, encodeFrame, FrameType, ImprovError, ImprovState } from "../../firmware/protocol/improv.js";
import { BroomeError } from "../error.js";
import type { Outcome, Heard } from "./outcome.js";
import type { Frame, Screen } from "./screen.js";

/** A board that is starting may miss the first request. */
const ASK_EVERY_MS = 1_000;
const ANSWER_MS = 5_000;
/** The radio may be busy with an attempt of its own. */
const SCAN_MS = 45_000;
/** Association and address, each with its own limit on the device. */
const JOIN_MS = 60_000;
const LINE_MS = 1_000; // from a frame to the log line that belongs to it

export interface Info {
  readonly firmware: string;
  readonly version: string;
  readonly chip: string;
  readonly name: string;
}

export class ImprovClient {
  private readonly screen: Screen;

  constructor(screen: Screen) {
    this.screen = screen;
  }

  /** Whether the board speaks Improv, and then whether it is online; undefined where it does not answer within `ms`. */
  async detect(ms: number): Promise<{ online: boolean } | undefined> {
    const { screen } = this;
    screen.clear();
    for (let left = ms; left > 0; left -= ASK_EVERY_MS) {
      await this.send(Command.state, []);
      const frame = await screen.waitForFrame(({ type }) => type === FrameType.state, ASK_EVERY_MS);
      if (frame) return { online: frame.data[0] === ImprovState.provisioned };
    }
    return undefined;
  }

  async info(): Promise<Info> {
    const [firmware = "", version = "", chip = "", name = ""] = await this.ask(Command.info, ANSWER_MS);
    return { firmware, version, chip, name };
  }

  /** Strongest first. */
  async scan(): Promise<Heard[]> {
    const { screen } = this;
    screen.clear();
    await this.send(Command.scan, []);
    const isResult = ({ type, data }: Frame) => type === FrameType.result && data[0] === Command.scan;
    const end = await screen.waitForFrame((frame) => isResult(frame) && frame.data[1] === 0, SCAN_MS);
    if (!end) throw noAnswer("the scan");
    return screen.heard
      .filter((frame) => isResult(frame) && frame.data[1] !== 0)
      .map(({ data }) => strings(data))
      .map(([name = "", rssi = "0", secured = ""]) => ({
        name,
        rssi: Number(rssi),
        secured: secured !== "NO",
      }))
      .sort((a, b) => b.rssi - a.rssi);
  }

  /** On trial: where it fails, what the device knew before is as it was. */
  async join(ssid: string, password: string): Promise<Outcome> {
    const { screen } = this;
    const [name, secret] = [new TextEncoder().encode(ssid), new TextEncoder().encode(password)];
    screen.clear();
    await this.send(Command.sendWifi, [name.length, ...name, secret.length, ...secret]);
    const answer = await screen.waitForFrame(
      ({ type, data }) =>
        (type === FrameType.error && data[0] !== ImprovError.none) ||
        (type === FrameType.result && data[0] === Command.sendWifi),
      JOIN_MS,
    );
    if (!answer) throw noAnswer("the attempt");
    if (answer.type === FrameType.result) return this.joined(ssid, answer.data);
    if (answer.data[0] === ImprovError.badPacket)
      return { ssid, reason: "not-accepted", said: "the device does not take such a name or password" };
    const line = await screen.waitFor(/chain: step=improv result=([^\n]+?) ms=/, LINE_MS);
    return { ssid, reason: line?.[1] ?? "timeout" };
  }

  private async joined(ssid: string, data: Uint8Array): Promise<Outcome> {
    const line = await this.screen.waitFor(
      /wifi: address ([\d.]+), gateway [\d.]+(?:, mac ([\da-f:]+))?/,
      LINE_MS,
    );
    const [url] = strings(data);
    return { ssid, ip: line?.[1] ?? "", mac: line?.[2] ?? "", ...(url === undefined ? {} : { url }) };
  }

  private async ask(command: number, ms: number): Promise<string[]> {
    this.screen.clear();
    await this.send(command, []);
    const frame = await this.screen.waitForFrame(
      ({ type, data }) => type === FrameType.result && data[0] === command,
      ms,
    );
    if (!frame) throw noAnswer(`command ${command}`);
    return strings(frame.data);
  }

  private send(command: number, payload: readonly number[]): Promise<void> {
    return this.screen.write(encodeFrame(FrameType.rpc, Uint8Array.of(command, payload.length, ...payload)));
  }
}

/** The strings of a result; one that is longer than the frame ends the list. */
function strings(data: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 2; at < data.length; at += 1 + data[at]!) {
    const end = at + 1 + data[at]!;
    if (end > data.length) break;
    found.push(new TextDecoder().decode(data.subarray(at + 1, end)));
  }
  return found;
}

function noAnswer(what: string): BroomeError {
  return new BroomeError(
    "no-answer",
    `the board did not answer ${what} in time`,
    "Reset it and try again; `broome monitor` shows what it says.",
  );
}
