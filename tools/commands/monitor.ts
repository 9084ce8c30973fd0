// `broome monitor`: shows what a board says and sends it what is typed.

import { BroomeError } from "../error.js";
import { Backtraces } from "../serial/backtrace.js";
import { choosePort } from "../serial/choose.js";
import { MonitorOutput } from "../serial/monitor-output.js";
import { Monitor } from "../serial/monitor.js";
import { openPort } from "../serial/open.js";
import type { Context, Options, Verb } from "../verb.js";
import { elfOf } from "./monitor-elf.js";

const BAUD_RATE = 115200; // of the firmware's UART (CONTRACT, "UART")
const CTRL_C = 0x03;
const CTRL_H = 0x08;
const TAB = 0x09; // Ctrl-I
const CTRL_L = 0x0c;
const CTRL_R = 0x12;
const CTRL_T = 0x14;
const CTRL_RIGHT_BRACKET = 0x1d;
const MENU = [
  "Ctrl-]         leave",
  "Ctrl-T Ctrl-R  restart the board",
  "Ctrl-T Ctrl-I  time before each line, on or off",
  "Ctrl-T Ctrl-L  copy to a log file, on or off",
  "Ctrl-T Ctrl-H  this list",
  "Ctrl-T Ctrl-T  send Ctrl-T (likewise Ctrl-])",
];

export const verb: Verb = {
  name: "monitor",
  summary: "show what a board says, type to it (Ctrl-] leaves)",
  configure(command) {
    command
      .option("--no-reset", "do not restart the board first (only possible where the port has modem lines)")
      .option("--timestamps", "put the time before each line")
      .option(
        "--elf <file>",
        "the program that was linked, for the names in a native crash (default: of the build)",
      )
      .option("--log <file>", "append a copy of what is shown to a file")
      .option("--for <seconds>", "end after so long", Number)
      .option("--until <text>", "end when the board says this; with --for: an error if it does not");
  },
  run: runMonitor,
};

/** Why it ended. */
type End = "left" | "time" | "text" | "interrupted";

async function runMonitor(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const started = Date.now();
  if (args.length > 0) throw usage(`${args[0]} is too much`);
  const seconds = options.for as number | undefined;
  if (seconds !== undefined && !(seconds > 0)) throw usage("--for wants seconds");
  const name = await choosePort(context.port);
  const until = new TextWatch(options.until as string | undefined);
  let bytes = 0;
  let finish: (end: End) => void;
  const ended = new Promise<End>((resolve) => (finish = resolve));
  const backtraces = new Backtraces({
    elfOf: (core) => elfOf(core, context, options.elf as string | undefined),
    note: (text) => output.say(text),
  });
  const stream = context.json ? process.stderr : process.stdout;
  const output = new MonitorOutput({
    show: (shown) => void stream.write(shown),
    note: (text) => context.log(`--- ${text}`),
    now: () => new Date(),
    root: context.root,
    onLine: (text) => backtraces.line(text),
  });
  output.timestamps = options.timestamps === true;
  if (options.log !== undefined) output.startLog(options.log as string);
  let opened = false;
  const monitor = new Monitor({
    open: async () => {
      const port = await openPort(name, { baudRate: context.baud ?? BAUD_RATE });
      if (!opened) context.log(`--- ${name}, Ctrl-] leaves, Ctrl-T Ctrl-H shows what else there is`);
      opened = true;
      return port;
    },
    onBytes(chunk) {
      bytes += chunk.length;
      output.take(chunk);
      if (until.sees(chunk)) finish("text");
    },
    onNote: (text) => output.say(text),
  });
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => finish("interrupted");
  context.signal.addEventListener("abort", onAbort);
  try {
    await monitor.start(options.reset !== false);
    if (seconds !== undefined) timer = setTimeout(() => finish("time"), seconds * 1000);
    const restore = relayKeys(monitor, output, () => finish("left"));
    const end = await ended.finally(restore);
    if (end === "time" && options.until !== undefined) throw notSeen(options.until as string, seconds!);
    return { port: name, bytes, reconnects: monitor.reconnects, end, ms: Date.now() - started };
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", onAbort);
    await monitor.close();
    await backtraces.end();
    output.close();
  }
}

/** Finds a text in a stream, however it is cut up. */
class TextWatch {
  private readonly text: string | undefined;
  private tail = "";

  constructor(text: string | undefined) {
    this.text = text === undefined ? undefined : Buffer.from(text).toString("latin1"); // compared byte by byte
  }

  sees(chunk: Uint8Array): boolean {
    if (this.text === undefined) return false;
    this.tail += Buffer.from(chunk).toString("latin1");
    if (this.tail.includes(this.text)) return true;
    this.tail = this.tail.slice(-this.text.length);
    return false;
  }
}

/** Keys from a terminal one by one, from a pipe as they come. The end of a pipe ends nothing: the board may still speak. */
function relayKeys(monitor: Monitor, output: MonitorOutput, leave: () => void): () => void {
  const { stdin } = process;
  const isTerminal = stdin.isTTY === true;
  let menu = false; // Ctrl-T was typed
  const onKeys = (keys: Buffer) => {
    if (!isTerminal) return void monitor.send(new Uint8Array(keys));
    const out: number[] = [];
    for (const key of keys) {
      if (menu) {
        menu = false;
        if (!choose(key, monitor, output)) out.push(key);
      } else if (key === CTRL_T) menu = true;
      else if (key === CTRL_RIGHT_BRACKET) return leave();
      else if (key === CTRL_C) process.kill(process.pid, "SIGINT");
      else out.push(key);
    }
    if (out.length > 0) void monitor.send(Uint8Array.from(out));
  };
  if (isTerminal) stdin.setRawMode(true);
  stdin.on("data", onKeys).on("error", () => undefined);
  stdin.resume();
  return () => {
    stdin.off("data", onKeys);
    if (isTerminal) stdin.setRawMode(false);
    stdin.pause();
    (stdin as { unref?: () => void }).unref?.();
  };
}

/** A key behind Ctrl-T; false: it is none of the menu's, and meant for the board. */
function choose(key: number, monitor: Monitor, output: MonitorOutput): boolean {
  if (key === CTRL_R)
    void monitor.reset().catch(() => undefined); // a loss is told by the monitor
  else if (key === CTRL_H) output.say(...MENU);
  else if (key === TAB) output.timestamps = !output.timestamps;
  else if (key === CTRL_L) toggleLog(output);
  else return false;
  return true;
}

function toggleLog(output: MonitorOutput): void {
  const { logPath } = output;
  if (logPath !== undefined) {
    output.stopLog();
    return output.say(`no longer copied to ${logPath}`);
  }
  const path = `broome-${new Date().toISOString().replace(/[:.]/g, "-")}.log`;
  try {
    output.startLog(path);
    output.say(`copied to ${path}`);
  } catch (error) {
    output.say((error as Error).message);
  }
}

function notSeen(text: string, seconds: number): BroomeError {
  const message = `the board did not say ${JSON.stringify(text)} within ${seconds} s`;
  return new BroomeError("text-not-seen", message, "What it said is above; give it more time with --for.");
}

function usage(message: string): BroomeError {
  return new BroomeError("usage", message, "See: broome monitor --help");
}
