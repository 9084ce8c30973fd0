// What a machine and its board say to each other, whatever carries it: calls and answers, events, and how it ended.

import { FRAME, FrameReader, type Value, decodeValues, encodeFrame } from "./bus-frame.js";
import type { Exit, Machine, RunOptions, Stats } from "./engine.js";

const EVENT_RESTART_PEAK = 1;
/** As they come in an idle frame. */
const STATS = [
  "arenaUsed",
  "arenaPeak",
  "arenaLimit",
  "chunkUsed",
  "slotUsed",
  "meter",
  "stackPeak",
  "stackLimit",
] as const satisfies (keyof Stats)[];

/** The way to the machine. */
export interface Line {
  send(frame: Buffer): void;
  /** Ends the machine at once. */
  cut(): void;
}

type Told = Pick<RunOptions, "onCall" | "reply" | "onIdle" | "onExit">;

export class Talk {
  /** Why the machine ended, where it said so. */
  abort: Exit["abort"];
  private readonly options: Told;
  private readonly line: Line;
  private readonly frames = new FrameReader();
  private waiting = false;
  private over = false;
  private restartPeak = false;

  constructor(options: Told, line: Line) {
    this.options = options;
    this.line = line;
  }

  /** The machine waits for an event. */
  get idle(): boolean {
    return this.waiting;
  }

  /** Nothing more is heard of it. */
  get ended(): boolean {
    return this.over;
  }

  /** Takes bytes of the machine and answers its calls. */
  receive(bytes: Buffer): void {
    try {
      this.frames.push(bytes);
      for (let frame = this.frames.next(); frame && !this.over; frame = this.frames.next())
        this.handle(frame);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Throws if the machine is not idle. */
  event(name: string, args: Value[]): void {
    if (!this.waiting) throw new Error(`event ${name}: the machine is not idle`);
    const flags = this.restartPeak ? EVENT_RESTART_PEAK : 0;
    const frame = encodeFrame(FRAME.event, [flags], [name, ...args]);
    this.restartPeak = false;
    this.waiting = false;
    this.line.send(frame);
  }

  resetPeak(): void {
    this.restartPeak = true;
  }

  cut(): void {
    this.over = true;
    this.waiting = false;
    this.line.cut();
  }

  /** The process has ended; to be called once. */
  end(code: number | null): void {
    this.over = true;
    this.waiting = false;
    this.options.onExit(this.abort ? { code, abort: this.abort } : { code });
  }

  private handle(frame: Buffer): void {
    const values = decodeValues(frame, 1);
    if (frame[0] === FRAME.call) this.call(values);
    else if (frame[0] === FRAME.idle) this.becomeIdle(values as number[]);
    else if (frame[0] === FRAME.abort) this.abort = { status: String(values[0]), message: String(values[1]) };
    else throw new Error(`frame of type ${frame[0]}`);
  }

  private call([op, ...args]: Value[]): void {
    const answer = this.answerTo(op as string, args);
    if (this.options.reply) this.options.reply(() => this.send(answer));
    else this.send(answer);
  }

  private answerTo(op: string, args: Value[]): Buffer {
    try {
      return encodeFrame(FRAME.reply, [], [this.options.onCall(op, args)]);
    } catch (error) {
      const { code, message } = error as { code?: unknown; message?: unknown };
      if (typeof code !== "string") throw error;
      return encodeFrame(FRAME.error, [], [code, String(message)]);
    }
  }

  private send(answer: Buffer): void {
    if (!this.over) this.line.send(answer);
  }

  private becomeIdle(values: number[]): void {
    const stats: Partial<Stats> = {};
    for (let i = 0; i < STATS.length; i += 1) stats[STATS[i]!] = values[i];
    this.waiting = true;
    this.options.onIdle(stats as Stats);
  }

  /** The board's own code failed: the machine cannot go on. */
  private fail(error: unknown): void {
    this.abort ??= {
      status: "bus-failed",
      message: error instanceof Error ? (error.stack ?? error.message) : "?",
    };
    this.cut();
  }
}

/** A machine that is talked to, whatever carries it. */
export abstract class TalkingMachine implements Machine {
  abstract readonly pid: number;
  protected abstract readonly talk: Talk;

  get idle(): boolean {
    return this.talk.idle;
  }

  event(name: string, ...args: Value[]): void {
    this.talk.event(name, args);
  }

  resetPeak(): void {
    this.talk.resetPeak();
  }

  kill(): void {
    this.talk.cut();
  }
}
