// `broome sim`: virtual boards that real tools take for boards, until Ctrl-C; `broome sim ACTION` is a hand on one of them.

import { chipByName, chipNames, defaultChip } from "../chips/registry.js";
import { prepareEngine } from "../engine/engine.js";
import { BroomeError } from "../error.js";
import { askBoard, type ControlRequest } from "../simulator/control.js";
import { parseMac } from "../simulator/mac.js";
import { simulate } from "../simulator/simulation.js";
import { defaultWorld, readWorld } from "../simulator/world.js";
import type { Context, Options, Verb } from "../verb.js";

const MAX_BOARDS = 256;
const MAX_PORT = 65535;
/** Its JEDEC id says a power of two. */
const MIN_FLASH = 256 * 1024; // bytes
const MAX_FLASH = 128 * 1024 * 1024;

export const verb: Verb = {
  name: "sim",
  summary: "a virtual board that real tools take for a board",
  configure(command) {
    command
      .argument("[action]", "reset, download, power-cut, gpio PIN=0|1 or status, with --control")
      .argument("[pins...]", "for gpio: 9=0 holds the boot button")
      .option("--control <path>", "the board to act on: `control` of the line that it printed")
      .option("--at <n>", "power-cut: in the middle of the n-th erase or program from now", wholeNumber)
      .option("--chip <name>", `one of: ${chipNames().join(", ")}`, defaultChip)
      .option("--flash <file>", "flash contents, kept; default: a temporary file, erased")
      .option("--flash-size <size>", "of a new flash file: bytes, or 4MB", flashSize)
      .option("--world <file>", "access points, faults, clock (see SPEC.md); default: one WPA2 network")
      .option("--count <n>", "boards", wholeNumber, 1)
      .option("--download", "start in download mode")
      .option("--mac <address>", "of the first board, locally administered")
      .option("--realtime", "real clock, and a UART as slow as its baud rate")
      .option("--arena <bytes>", "memory of the program instead of what its image asks for", wholeNumber)
      .option("--stack <slots>", "stack of the program, likewise", wholeNumber)
      .option("--capture <file>", "write what goes over the air to a pcap file")
      .option("--log <file>", "append what the board says to a file");
  },
  run: (context, args, options) =>
    args.length > 0 ? act(args, options) : simulateUntilInterrupted(context, options),
};

async function act([action, ...pins]: string[], options: Options): Promise<Record<string, unknown>> {
  if (typeof options.control !== "string")
    throw usage(`sim ${action} needs --control`, "Give the path that `broome sim` printed as `control`.");
  let result: Record<string, unknown> = {};
  for (const request of requests(action!, pins, options)) result = await askBoard(options.control, request);
  return result;
}

function requests(action: string, pins: string[], options: Options): ControlRequest[] {
  if (action === "gpio" && pins.length > 0) return pins.map(pinRequest);
  if (action === "power-cut")
    return [{ op: action, ...(options.at === undefined ? {} : { at: options.at }) }];
  if (action === "reset" || action === "download" || action === "status") return [{ op: action }];
  throw usage(`sim cannot do "${[action, ...pins].join(" ")}"`, "See: broome sim --help");
}

function pinRequest(text: string): ControlRequest {
  const [, pin, level] = /^(\d{1,2})=([01])$/.exec(text) ?? [];
  if (pin === undefined)
    throw usage(`"${text}" is not PIN=LEVEL`, "For example: broome sim gpio 9=0 --control PATH");
  return { op: "gpio", pin: Number(pin), high: level === "1" };
}

async function simulateUntilInterrupted(
  context: Context,
  options: Options,
): Promise<Record<string, unknown>> {
  if (options.count < 1 || options.count > MAX_BOARDS)
    throw usage(`--count ${options.count} is not 1 to ${MAX_BOARDS}`, "Start more in another process.");
  const port = ownPort(context, options.count);
  const chip = chipByName(options.chip);
  const world = options.world === undefined ? defaultWorld : readWorld(options.world);
  const mac = options.mac === undefined ? undefined : parseMac(options.mac);
  const engine = await prepareEngine({
    cacheDir: context.cacheDir,
    onProgress: (done, _total, what) => done === 0 && context.log(`building the engine, once: ${what} ...`),
  });
  if (context.signal.aborted) return {};
  const simulation = await simulate({
    ...{ engine, chip, world, mac, port },
    count: options.count,
    flashFile: options.flash,
    flashSize: options.flashSize,
    download: options.download,
    paced: options.realtime,
    arena: options.arena,
    stack: options.stack,
    capture: options.capture,
    log: options.log,
    note: (line) => context.log(line),
  });
  try {
    for (const { reach } of simulation.boards) context.print(JSON.stringify(reach));
    if (world === defaultWorld)
      for (const { ssid, password } of world.accessPoints)
        context.log(`on the air: "${ssid}", password ${password}`);
    await interrupted(context.signal);
  } finally {
    await simulation.close();
  }
  return { boards: simulation.boards.length };
}

/** `-p` of a board that is made here: by which it can be reached. BROOME_PORT may be meant for other verbs. */
function ownPort({ port }: Context, count: number): number | undefined {
  const [, number] = /^(?:rfc2217:\/\/(?:127\.0\.0\.1|localhost):)?(\d{1,5})$/.exec(port ?? "") ?? [];
  if (port === undefined || (number === undefined && port === process.env.BROOME_PORT)) return undefined;
  if (number === undefined || Number(number) > MAX_PORT)
    throw usage(
      `a virtual board cannot be at ${port}`,
      "A TCP port of this machine, like -p 4000; or leave -p out.",
    );
  if (count > 1)
    throw usage(`${count} boards cannot share port ${number}`, "Leave -p out: each gets a free one.");
  return Number(number);
}

/** Never by itself: the open ports keep the process alive. */
function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw usage(`"${text}" is not a whole number`, "See: broome sim --help");
  return Number(text);
}

function flashSize(text: string): number {
  const [, count, unit] = /^(\d{1,10})\s*(KB|MB)?$/i.exec(text) ?? [];
  if (count === undefined) throw usage(`"${text}" is not a flash size`, "For example: --flash-size 4MB");
  const factor = { KB: 1024, MB: 1024 * 1024 }[unit?.toUpperCase() ?? ""] ?? 1;
  const size = Number(count) * factor;
  if (size < MIN_FLASH || size > MAX_FLASH || !Number.isInteger(Math.log2(size)))
    throw usage(`a flash chip of ${text} does not exist`, "256KB, 512KB, 1MB, 2MB, 4MB and so on to 128MB.");
  return size;
}

function usage(message: string, help: string): BroomeError {
  return new BroomeError("usage", message, help);
}
