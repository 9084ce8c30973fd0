// Small firmware for the virtual board: JavaScript to image to flash file, without the project's own firmware.

import type { ExecutionContext } from "ava";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { buildImage } from "../../../firmware/format/image.js";
import { partitionTable } from "../../../tools/build/tables.js";
import type { Chip } from "../../../tools/chips/chip.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import {
  ESP8266_CREATION,
  link,
  prepareEngine,
  type Creation,
  type Engine,
} from "../../../tools/engine/engine.js";
import { sha256 } from "../../../tools/simulator/boot.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { simulate, type Simulation, type SimulationOptions } from "../../../tools/simulator/simulation.js";
import { checkWorld } from "../../../tools/simulator/world.js";

/** The chip of tests that name none. */
export const chip = esp32c3;
export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

let prepared: Promise<Engine> | undefined;

/** The engine of this checkout, built where it is not there yet. */
export function engine(): Promise<Engine> {
  prepared ??= prepareEngine({ cacheDir: join(root, ".broome") });
  return prepared;
}

/** Text to UART, for programs that have no modules to import. */
const PRELUDE = `
function say(text) {
  const bytes = new Uint8Array(text.length + 1);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  bytes[text.length] = 10;
  bus("console.write", bytes);
}
`;

export interface ImageOptions {
  chip?: Chip;
  version?: string;
  project?: string;
  chipId?: number;
  minRevision?: number;
  creation?: Partial<Creation>;
}

/** An image whose main module is `source`; `say(text)` writes a line. */
export async function imageOf(source: string, options: ImageOptions = {}): Promise<Uint8Array> {
  const creation = JSON.stringify({ main: "main", ...ESP8266_CREATION, ...options.creation });
  const { archive } = await link(await engine(), {
    modules: [{ name: "main", source: PRELUDE + source }],
    preload: [],
    resources: [{ name: "creation.json", data: new Uint8Array(Buffer.from(creation)) }],
  });
  const descriptor = encodeAppDescriptor({
    secureVersion: 0,
    version: options.version ?? "1.0.0",
    project: options.project ?? "broome-virtual",
    time: "12:00:00",
    date: "Jan  1 2026",
    idf: "test",
    elfSha256: new Uint8Array(32),
  });
  const data = new Uint8Array([...descriptor, ...archive]);
  const { dataAddress, codeAddress, idleCode, ...header } = (options.chip ?? chip).image;
  const { chipId = header.chipId, minRevision = header.minRevision } = options;
  return buildImage(
    {
      ...{ ...header, chipId, minRevision, entry: codeAddress },
      segments: [
        { loadAddress: dataAddress, data },
        { loadAddress: codeAddress, data: Uint8Array.from(idleCode) },
      ],
    },
    sha256,
  );
}

export interface FlashContents {
  ota_0?: Uint8Array;
  ota_1?: Uint8Array;
  /** Entries of otadata by sector. */
  otadata?: (Uint8Array | undefined)[];
  /** Instead of the layout's own. */
  table?: Uint8Array;
}

/** Path of a flash file in a folder of its own, which goes with the test. */
export function flashFile(t: ExecutionContext, contents: FlashContents, of: Chip = chip): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-test-"));
  const path = join(folder, "board.flash");
  const flash = NorFlash.open({ path, size: of.flashSize });
  const { layout } = of;
  flash.program(layout.partitionTable.offset, contents.table ?? partitionTable(of));
  if (contents.ota_0) flash.program(layout.ota_0.offset, contents.ota_0);
  if (contents.ota_1) flash.program(layout.ota_1.offset, contents.ota_1);
  contents.otadata?.forEach(
    (entry, sector) => entry && flash.program(layout.otadata.offset + sector * 4096, entry),
  );
  flash.close();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return path;
}

/** A board on a flash file, and what it says. */
export interface Bench {
  simulation: Simulation;
  readonly text: string;
  /** Notes of the simulation itself. */
  readonly notes: string[];
  /** The first match in what was said at or after `from`. */
  said(pattern: RegExp, from?: number, timeoutMs?: number): Promise<RegExpExecArray>;
  close(): Promise<void>;
}

/** Switches a board on; it is switched off with the test. */
export async function bench(
  t: ExecutionContext,
  flash: string,
  options: Partial<SimulationOptions> = {},
): Promise<Bench> {
  let text = "";
  const notes: string[] = [];
  const waiting = new Set<() => void>();
  const simulation = await simulate({
    engine: await engine(),
    chip,
    world: checkWorld({ seed: 1, clock: "fast", test: true }),
    flashFile: flash,
    ...options,
    note: (line) => notes.push(line),
    onUart: (_number, bytes) => {
      text += Buffer.from(bytes).toString("latin1");
      for (const look of waiting) look();
    },
  });
  t.teardown(() => simulation.close());
  return {
    simulation,
    notes,
    get text() {
      return text;
    },
    said(pattern, from = 0, timeoutMs = 60_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`the board did not say ${pattern}; it said:\n${text.slice(from)}\n${notes.join("\n")}`),
          );
        }, timeoutMs);
        const look = () => {
          const match = pattern.exec(text.slice(from));
          if (match === null) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
      });
    },
    close: () => simulation.close(),
  };
}
