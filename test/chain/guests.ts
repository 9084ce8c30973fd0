// Who is at the UART of a case: nobody, a person at the dialog, a program that speaks Improv, or noise.

import { encodeFrame, FrameType } from "../../firmware/protocol/improv.js";
import { ImprovParser } from "../../firmware/protocol/improv-parser.js";
import type { Clock } from "../../tools/simulator/clock.js";
import { seededRandom } from "../support/random.js";
import { home, type Case } from "./matrix.js";

interface Line {
  clock: Clock;
  send(bytes: Uint8Array): void;
}

export interface Guest {
  /** What the board said. */
  hear(text: string, bytes: Uint8Array): void;
}

/** World time between a question and its answer, and between two tries of a program. */
const THINKING_MS = 700;
const RETRY_MS = 20_000;
const TRIES = 6;
const NOISE_PARTS = 120;

export function guestOf(who: Case["serial"], line: Line): Guest {
  switch (who) {
    case "none":
      return { hear: () => undefined };
    case "person":
      return new Person(line);
    case "improv":
      return new Program(line);
    case "garbage":
      return new Noise(line);
  }
}

/** Answers what is asked, as often as it is asked; a question that is shown again while they type is the same one. */
class Person implements Guest {
  private readonly line: Line;
  private tail = "";
  private typing = false;

  constructor(line: Line) {
    this.line = line;
  }

  hear(text: string): void {
    this.tail = (this.tail + text).slice(-2000);
    const answer = this.answerTo(this.tail);
    if (answer === undefined || this.typing) return;
    this.typing = true;
    this.line.clock.set(THINKING_MS, () => {
      this.typing = false;
      this.tail = "";
      this.line.send(Buffer.from(`${answer}\r`));
    });
  }

  private answerTo(tail: string): string | undefined {
    if (/Press Enter to set up network and server\.\n$/.test(tail)) return "";
    if (/Number or name[^\n]*: $/.test(tail)) return home.ssid;
    if (/Password[^\n]*: $/.test(tail)) return home.password;
    return /Server[^\n]*: $/.test(tail) ? "" : undefined;
  }
}

class Program implements Guest {
  private readonly line: Line;
  private readonly parser: ImprovParser;
  private tries = 0;

  constructor(line: Line) {
    this.line = line;
    this.parser = new ImprovParser({
      onText: () => undefined,
      onFrame: (type, data) => {
        if (type === FrameType.error && data[0] !== 0) this.later(RETRY_MS);
      },
      onBadFrame: () => undefined,
    });
    this.later(3_000);
  }

  hear(_text: string, bytes: Uint8Array): void {
    for (const byte of bytes) this.parser.push(byte);
  }

  private later(ms: number): void {
    if (this.tries >= TRIES) return;
    this.tries += 1;
    this.line.clock.set(ms, () => {
      const [ssid, password] = [Buffer.from(home.ssid), Buffer.from(home.password)];
      const payload = [ssid.length, ...ssid, password.length, ...password];
      this.line.send(encodeFrame(FrameType.rpc, Uint8Array.of(1, payload.length, ...payload)));
    });
  }
}

/** Noise with newlines, beginnings of frames and whole ones that are damaged. */
class Noise implements Guest {
  constructor({ clock, send }: Line) {
    const random = seededRandom(3);
    const frame = encodeFrame(FrameType.rpc, Uint8Array.of(1, 4, 1, 65, 1, 66));
    for (let i = 0; i < NOISE_PARTS; i += 1) {
      const part =
        i % 4 === 3 ? frame.slice(0, 1 + random.below(frame.length)) : random.bytes(1 + random.below(60));
      if (i % 4 === 3) part[random.below(part.length)]! ^= 0x11;
      if (i % 8 === 5) part[0] = 0x0d;
      clock.set(500 + i * 250, () => send(part.map((byte) => (byte === 0xc0 ? 0xc1 : byte)))); // C0 would be the flasher's
    }
  }

  hear(): void {
    // it listens to nobody
  }
}
