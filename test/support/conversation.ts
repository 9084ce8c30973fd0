// Somebody who reads what a board says and answers its questions, which are no whole lines.

const WAIT_MS = 90_000;
const LOOK_MS = 20;
const KEPT = 8_000; // characters

export class Conversation {
  /** Sends keys, or what a program sends, to the board. */
  readonly send: (keys: string | Uint8Array) => Promise<void> | boolean;
  private unanswered = "";

  constructor(send: (keys: string | Uint8Array) => Promise<void> | boolean) {
    this.send = send;
  }

  /** To be told everything that the board says. */
  hear(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString().replaceAll("\r", "");
    this.unanswered = (this.unanswered + text).slice(-KEPT);
  }

  /** Waits until what was said since the last question matches. Rejects after 90 s, with the end of what was said. */
  async asked(question: RegExp): Promise<RegExpExecArray> {
    for (const end = Date.now() + WAIT_MS; ;) {
      const match = question.exec(this.unanswered);
      if (match) {
        this.unanswered = "";
        return match;
      }
      if (Date.now() > end)
        throw new Error(`not asked ${question}; it ends with:\n${this.unanswered.slice(-1500)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Waits for a question, then types a line. */
  async answer(question: RegExp, line: string): Promise<void> {
    await this.asked(question);
    await this.send(`${line}\r`);
  }
}
