// A `lin` build at work: a process with a flash file, whose standard input and output are its UART.

import { spawn, type ChildProcess } from "node:child_process";
import { UartLog } from "../../tools/demo/uart-log.js";

const PROMPT_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export interface LinOptions {
  /** The runner and the library that it loads. */
  readonly program: string;
  readonly library: string;
  readonly flash: string;
  readonly mac: string;
}

export class LinRun {
  readonly log = new UartLog();
  /** Everything it said on stderr: the machine's own last words. */
  complaints = "";
  exitCode: number | undefined;
  private said = "";
  private readonly child: ChildProcess;

  constructor({ program, library, flash, mac }: LinOptions) {
    this.child = spawn(program, [library], {
      env: { ...process.env, BROOME_FLASH: flash, BROOME_MAC: mac },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.child.stdout!.on("data", (bytes: Buffer) => {
      this.log.take(bytes);
      this.said += bytes.toString("utf8");
    });
    this.child.stderr!.on("data", (bytes: Buffer) => (this.complaints += bytes.toString("utf8")));
    this.child.once("exit", (code) => (this.exitCode = code ?? -1));
  }

  get text(): string {
    return this.said;
  }

  /** Waits for a prompt that was not answered yet, and types. */
  async answer(prompt: RegExp, line: string): Promise<void> {
    await this.until(prompt);
    this.said = "";
    this.child.stdin!.write(`${line}\n`);
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const end = Date.now() + PROMPT_TIMEOUT_MS;
    for (;;) {
      const match = pattern.exec(this.said);
      if (match) return match;
      if (this.exitCode !== undefined || Date.now() > end)
        throw new Error(
          `not said: ${pattern}; exit ${this.exitCode} ${this.complaints}\n${this.said.slice(-2000)}`,
        );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async end(): Promise<void> {
    if (this.exitCode !== undefined) return;
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGTERM");
    await gone;
  }
}
