// The flasher on the modelled line and flash (`sim --realtime`), beside npm's esptool-js on the same board in the same run.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ESPLoader, Transport } from "esptool-js";
import { blankDefaults, encodeDefaults } from "../../firmware/format/defaults-block.js";
import { chipByName, allChips } from "../../tools/chips/registry.js";
import { startService } from "../../tools/demo/child.js";
import { Op } from "../../tools/esptool/command.js";
import { flash, type FlashResult } from "../../tools/esptool/flasher.js";
import { Loader } from "../../tools/esptool/loader.js";
import { codecs, stubFor } from "../../tools/node-flasher.js";
import { openPort } from "../../tools/serial/open.js";
import type { SerialPort } from "../../tools/serial/port.js";
import { md5Ms } from "../../tools/simulator/flash-timing.js";
import { ROM_MD5_MS_PER_MB } from "../../tools/simulator/rom.js";
import { WebSerialShim } from "../tools/esptool/web-serial.js";
import { root } from "../system/rig.js";
import type { Bench } from "./bench.js";

const chip = chipByName("esp32c3");
const OFFSET = chip.layout.ota_0.offset;
const SIZE = 2 ** 20;
/** About what `broome build` makes today. */
const OWN_IMAGE_SIZE = 160 * 1024;
/** Where the block of settings lies. */
const SETTINGS = 0x21300;
const BAUDS = [115_200, 460_800, 921_600];
const FAST = 921_600;
/** The targets. */
const OVER_LINE = { stub: 1.03, rom: 1.06 };
/** A ROM waits for the client after each of 1,000 blocks: a machine that is busy elsewhere shows in it, so the best of these counts. */
const ROM_RUNS = 2;
/** What takes less than a second is late by as much as the machine is; again the best counts. */
const SHORT_RUNS = 3;
const REFLASH_MS = 500;
const REFLASH_SHARE = 0.1;
const UNCHANGED_MS = 300;

interface Timed {
  readonly result: FlashResult;
  /** From opening the port: reset, connecting, who is there, the stub. */
  readonly wholeMs: number;
  /** From the board's being ready (connected, at its rate, the stub loaded if it pays; esptool-js: main() is done) to the verified MD5. */
  readonly ms: number;
  /** From the first data block to the verified MD5. */
  readonly dataMs: number;
  /** Both ways, from being ready on. */
  readonly bytes: number;
}

interface Attempt {
  port: string;
  data: Uint8Array;
  baudRate: number;
  stub?: boolean;
}

async function ours({ port: name, data, baudRate, stub = true }: Attempt): Promise<Timed> {
  const started = performance.now();
  const port = await openPort(name, { baudRate: 115_200 });
  let firstBlock = 0;
  const loader = new Loader({
    port: watched(port, () => (firstBlock ||= performance.now())),
    chips: allChips(),
  });
  let ready = 0;
  let before = 0;
  const bytes = () => loader.exchange.traffic.sent + loader.exchange.traffic.received;
  try {
    const result = await flash(loader, {
      ...{ regions: [{ offset: OFFSET, data, name: "app.bin" }], codecs, baudRate, stay: true },
      ...(stub && { stub: stubFor }),
      check: () => {
        ready = performance.now();
        before = bytes();
      },
    });
    const end = performance.now();
    const ms = (from: number) => Math.round(end - from);
    return {
      ...{ result, wholeMs: ms(started), ms: ms(ready), dataMs: ms(firstBlock) },
      bytes: bytes() - before,
    };
  } finally {
    loader.close();
    await port.close();
  }
}

/** Calls `onBlock` at each data block of a write. */
function watched(port: SerialPort, onBlock: () => void): SerialPort {
  const write = (bytes: Uint8Array): Promise<void> => {
    if (bytes[1] === 0 && (bytes[2] === Op.FLASH_DEFL_DATA || bytes[2] === Op.FLASH_DATA)) onBlock();
    return port.write(bytes);
  };
  return new Proxy(port, {
    get(target, name) {
      if (name === "write") return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value as () => void).bind(target) : value;
    },
  });
}

async function theirs(
  name: string,
  data: Uint8Array,
  baudrate: number,
): Promise<{ ms: number; wholeMs: number; bytes: number }> {
  const opened = performance.now();
  const device = new WebSerialShim(name);
  const transport = new Transport(device as never);
  transport.trace = () => undefined;
  const terminal = { clean: () => undefined, writeLine: () => undefined, write: () => undefined };
  const loader = new ESPLoader({ transport, baudrate, terminal });
  await loader.main();
  const before = device.sent + device.received;
  const started = performance.now();
  await loader.writeFlash({
    ...{ fileArray: [{ data, address: OFFSET }], compress: true, calculateMD5Hash: codecs.md5 as never },
    ...{ flashMode: "keep", flashFreq: "keep", flashSize: "keep", eraseAll: false },
  } as never);
  const figures = {
    ms: Math.round(performance.now() - started),
    wholeMs: Math.round(performance.now() - opened),
    bytes: device.sent + device.received - before,
  };
  await transport.disconnect();
  return figures;
}

/** A megabyte that deflates as a firmware does, to about 40 %, with a blank block of settings. */
function firmware(): Uint8Array {
  const data = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 64) {
    data.set(randomBytes(22), at);
    data.set(Buffer.from("l.mov.n a2, a3; call0 tide_log; ret.n   ").subarray(0, 42), at + 22);
  }
  data.set(blankDefaults(), SETTINGS);
  return data;
}

/** As `broome patch` changes an image: the block of settings, and the digest at its end. */
function personalised(data: Uint8Array): Uint8Array {
  const other = data.slice();
  const secret = randomBytes(12).toString("hex");
  other.set(
    encodeDefaults({ "wifi.ssid": "home", "wifi.password": secret, "device.name": "gadget" }),
    SETTINGS,
  );
  other.set(randomBytes(33), other.length - 33);
  return other;
}

interface Bound {
  /** The deflated bytes, ten bits each. */
  readonly lineMs: number;
  /** Of the flash, while the line has to wait. */
  readonly flashMs: number;
  /** Hashing what was written. */
  readonly md5Ms: number;
}

/**
 * What no client can do without. A ROM erases before the first block and hears nothing while it programs one; a stub erases in
 * between, and its hashing is left out of the bound: the target stands without it.
 */
async function bound(data: Uint8Array, baud: number, stub: boolean): Promise<Bound> {
  const lineMs = ((await codecs.deflate(data)).length * 10_000) / baud;
  if (stub) return { lineMs, flashMs: (SIZE / 0x10000) * chip.flash.blockEraseMs, md5Ms: 0 };
  return { lineMs, flashMs: (SIZE / 256) * chip.flash.pageProgramMs, md5Ms: md5Ms(ROM_MD5_MS_PER_MB, SIZE) };
}

export const flashBench: Bench = {
  name: "flash",
  async run(say) {
    const folder = mkdtempSync(join(tmpdir(), "broome-bench-"));
    const board = await startService(
      root,
      ["sim", "--chip", chip.name, "--realtime", "--flash", join(folder, "board.flash")],
      join(folder, "sim.log"),
    );
    try {
      return await measure(board.first.rfc2217!, say);
    } finally {
      await board.end();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface First extends Bound {
  readonly baud: number;
  readonly stub: boolean;
  readonly ms: number;
  /** Of the line, the flash and the hash together; and of the line alone. */
  readonly ratio: number;
  readonly ratioToLine: number;
}

async function first(port: string, baud: number, stub: boolean, say: (text: string) => void): Promise<First> {
  let best: First | undefined;
  for (let run = 0; run < (stub ? 1 : ROM_RUNS); run += 1) {
    const data = firmware(); // nothing of it lies there
    const { dataMs: ms, result } = await ours({ port, data, baudRate: baud, stub });
    const needs = await bound(data, baud, stub);
    const over = (floor: number) => Math.round((ms / floor) * 1000) / 1000;
    const ratio = over(needs.lineMs + needs.flashMs + needs.md5Ms);
    const ratioToLine = over(needs.lineMs);
    const one = { baud: result.baudRate, stub: result.stub, ms, ...needs, ratio, ratioToLine };
    if (best === undefined || one.ms < best.ms) best = one;
  }
  const { ms, lineMs, flashMs, md5Ms: hashMs, ratio, ratioToLine } = best!;
  const needs = `line ${Math.round(lineMs)} + flash ${Math.round(flashMs)} + MD5 ${Math.round(hashMs)} ms`;
  say(
    `first, ${stub ? "stub" : "ROM"}, ${baud}: ${ms} ms; ${needs}: ${ratio}; to the line alone ${ratioToLine}`,
  );
  return best!;
}

async function measure(port: string, say: (text: string) => void) {
  const firstFlash: First[] = [];
  for (const stub of [true, false])
    for (const baud of BAUDS) firstFlash.push(await first(port, baud, stub, say));
  const js = await theirs(port, firmware(), FAST);
  say(`esptool-js, first, ${FAST}: ${figuresOf(js)}`);
  const data = firmware();
  await theirs(port, data, FAST);
  data.set(randomBytes(4096), 0x40000);
  const jsAgain = await theirs(port, data, FAST);
  say(`esptool-js, 4 KB changed: ${figuresOf(jsAgain)}`);
  const again = await fastest("4 KB changed", say, () => {
    data.set(randomBytes(4096), 0x80000);
    return ours({ port, data, baudRate: FAST });
  });
  const same = await fastest("unchanged", say, () => ours({ port, data, baudRate: FAST }));
  const large = await fastest("1 MiB re-personalised", say, () =>
    ours({ port, data: personalised(data), baudRate: FAST }),
  );
  const own = data.subarray(0, OWN_IMAGE_SIZE);
  const other = await fastest(`${OWN_IMAGE_SIZE} bytes re-personalised`, say, () =>
    ours({ port, data: personalised(own), baudRate: FAST }),
  );
  const reflash = {
    ...{ ms: again.ms, wholeMs: again.wholeMs, bytes: again.bytes },
    bytesRatioVsEsptoolJs: Math.round((again.bytes / jsAgain.bytes) * 1000) / 1000,
    ...{ msEsptoolJs: jsAgain.ms, wholeMsEsptoolJs: jsAgain.wholeMs },
  };
  const verified = [again, same, large, other].every(({ result }) => result.verified);
  const ok =
    verified &&
    firstFlash.every(({ stub, ratio }) => ratio <= (stub ? OVER_LINE.stub : OVER_LINE.rom)) &&
    reflash.ms < REFLASH_MS &&
    reflash.bytesRatioVsEsptoolJs < REFLASH_SHARE &&
    [same, large, other].every(({ ms }) => ms < UNCHANGED_MS);
  const figures = { reflash, unchangedMs: same.ms, repersonaliseMs: other.ms, repersonalise1MiBMs: large.ms };
  return { ok, firstFlash, firstFlashMsEsptoolJs: js.ms, ...figures };
}

/** The best of `SHORT_RUNS`. */
async function fastest(what: string, say: (text: string) => void, run: () => Promise<Timed>): Promise<Timed> {
  let best: Timed | undefined;
  for (let i = 0; i < SHORT_RUNS; i += 1) {
    const one = await run();
    if (best === undefined || one.ms < best.ms) best = one;
  }
  say(
    `${what}: ${figuresOf(best!)}, ${best!.result.bytesWritten} written${best!.result.stub ? "" : ", no stub"}`,
  );
  return best!;
}

function figuresOf({ ms, wholeMs, bytes }: { ms: number; wholeMs: number; bytes: number }): string {
  return `${ms} ms (${wholeMs} from opening the port), ${bytes} bytes`;
}
