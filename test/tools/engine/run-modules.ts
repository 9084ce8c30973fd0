// Links modules, puts the archive into a flash file at an offset and runs it to its end: what the engine's tests share.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Creation,
  ESP8266_CREATION,
  type Engine,
  type Exit,
  type Machine,
  type Stats,
  type Value,
  link,
  prepareEngine,
  run,
} from "../../../tools/engine/engine.js";

/** Where archives lie in the flash files of these tests: as in an image in ota_0. */
export const ARCHIVE_OFFSET = 0x10120;

let engine: Promise<Engine> | undefined;

/** The engine of this checkout, built once. */
export function testEngine(): Promise<Engine> {
  engine ??= prepareEngine({ cacheDir: ".broome" });
  return engine;
}

export interface Program {
  /** Module name to source; the first is the main module. */
  modules: Record<string, string>;
  preload?: string[];
  resources?: { name: string; data: Uint8Array }[];
  creation?: Partial<Creation>;
  /** Events delivered one after the other, whenever the machine is idle; then it is killed. */
  events?: [string, ...Value[]][];
  onCall?(op: string, args: Value[], machine: Machine): Value;
  /** Changes the flash before the run. */
  change?(flash: Buffer): void;
  engine?: Engine;
  /** Leaves the machine idle instead of killing it. */
  hold?: boolean;
}

export interface Outcome {
  /** Arguments of each call of the op "log". */
  log: Value[][];
  /** One for each time the machine was idle. */
  stats: Stats[];
  exit: Exit;
}

/** Links and runs a program. */
export async function runModules(program: Program): Promise<Outcome> {
  const used = program.engine ?? (await testEngine());
  const modules = Object.entries(program.modules).map(([name, source]) => ({ name, source }));
  const { archive } = await link(used, {
    modules,
    preload: program.preload ?? [],
    resources: program.resources ?? [],
  });
  return runArchive(archive, { ...program, engine: used, main: modules[0]!.name });
}

/** Runs an archive. */
export async function runArchive(
  archive: Uint8Array,
  program: Omit<Program, "modules"> & { main: string },
): Promise<Outcome> {
  const used = program.engine ?? (await testEngine());
  const dir = mkdtempSync(join(tmpdir(), "broome-engine-"));
  const flash = Buffer.concat([Buffer.alloc(ARCHIVE_OFFSET, 0xff), archive]);
  program.change?.(flash);
  const flashFile = join(dir, "flash");
  writeFileSync(flashFile, flash);
  const events = [...(program.events ?? [])];
  const outcome: Outcome = { log: [], stats: [], exit: { code: null } };
  await new Promise<void>((resolve) => {
    const machine = run(used, {
      flashFile,
      offset: ARCHIVE_OFFSET,
      size: flash.length - ARCHIVE_OFFSET,
      main: program.main,
      creation: { ...ESP8266_CREATION, ...program.creation },
      onCall(op, args) {
        if (op === "log") outcome.log.push(args);
        return program.onCall?.(op, args, machine);
      },
      onIdle(stats) {
        outcome.stats.push(stats);
        const event = events.shift();
        if (event) machine.event(...event);
        else if (!program.hold) machine.kill();
      },
      onExit(exit) {
        outcome.exit = exit;
        resolve();
      },
    });
  });
  rmSync(dir, { recursive: true });
  return outcome;
}

/** A program of one module. */
export function runSource(source: string, program: Omit<Program, "modules"> = {}): Promise<Outcome> {
  return runModules({ ...program, modules: { "app/main": source } });
}
