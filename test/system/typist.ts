// A person, or a program, at the UART of a board that a rig listens to: waits for a question, types an answer.

import { setTimeout as sleep } from "node:timers/promises";
import type { UartLog } from "../../tools/demo/uart-log.js";

const TIMEOUT_MS = 90_000;
const POLL_MS = 20;
const SHOWN = 1_500; // characters of what was said, in an error

export class Typist {
  private readonly log: UartLog;
  private said = "";

  /** Listens in the log's place, and hands on to it. */
  constructor(log: UartLog) {
    this.log = log;
    log.port.listen((bytes) => {
      this.said += Buffer.from(bytes).toString().replaceAll("\r", "");
      log.take(bytes);
    });
  }

  /** Waits until what was said since the last answer matches: a question is no whole line. */
  async asked(question: RegExp): Promise<void> {
    for (const end = Date.now() + TIMEOUT_MS; !question.test(this.said); await sleep(POLL_MS))
      if (Date.now() > end) throw new Error(`not asked ${question}: ${this.said.slice(-SHOWN)}`);
    this.said = "";
  }

  async answer(question: RegExp, line: string): Promise<void> {
    await this.asked(question);
    await this.send(Buffer.from(`${line}\r`));
  }

  send(bytes: Uint8Array): Promise<void> {
    return this.log.port.write(bytes);
  }
}
