// `npm run test:isa`: the engine and the firmware's bytecode on the chips' own instruction sets, frame for frame what the
// engine of this computer does. Ends with one JSON line.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareEngine, type Engine } from "../../tools/engine/engine.js";
import { buildCoreEngine } from "./core-engine.js";
import { CORES, missingFor, type Core } from "./cores.js";
import { recordPrograms } from "./programs.js";
import { copyOf, recordLife, type Recording } from "./record.js";
import { replay } from "./replay.js";

const CACHE = ".broome";
const say = (text: string) => console.error(text);
const strict = process.env["BROOME_NO_SKIP"] === "1";
const count = { cases: 0, failed: 0, skipped: 0 };

function skip(what: string, why: string): void {
  count.skipped += 1;
  if (strict) count.failed += 1;
  say(`!!! ${what} is NOT tested: ${why} !!!`);
}

function check(name: string, problem: string | undefined, facts: string): void {
  count.cases += 1;
  if (problem !== undefined) count.failed += 1;
  say(`  ${problem === undefined ? "✔" : "✘"} ${name}: ${problem ?? facts}`);
}

async function testCore(core: Core, recordings: [string, Recording][], folder: string): Promise<void> {
  const engine = await buildCoreEngine(core, CACHE);
  const { code, constants } = engine.size;
  say(
    `${core.name} (${core.chip}): ${code} bytes of code, ${constants} of constants; built in ${engine.seconds} s`,
  );
  for (const [i, [name, recording]] of recordings.entries()) {
    const result = await replay(core, engine, recording, join(folder, `${core.name}-${i}`));
    const { frames, calls, arenaPeak, stackPeak, meter, cStack, problem } = result;
    const memory = `arena ${arenaPeak}, stack ${stackPeak} slots, C stack ${cStack} bytes`;
    check(name, problem, `${frames} frames (${calls} calls) the same; ${memory}; ${meter} instructions`);
  }
  const [, last] = recordings.at(-1)!;
  const damaged = damage(last, join(folder, `${core.name}-damaged`));
  const control = await replay(core, engine, damaged, join(folder, `${core.name}-control`));
  const noticed = control.problem === undefined ? "was not noticed" : undefined;
  check("one wrong bit in the first reply", noticed, `noticed: ${control.problem?.slice(0, 60)} ...`);
}

/** Length, type, then the tag of the first value: other bits may well make no difference. */
const FIRST_TAG = 5;

/** A recording of the same answers to slightly other replies: it must not pass. */
function damage(recording: Recording, folder: string): Recording {
  copyOf(recording, folder);
  writeFileSync(join(folder, "out"), readFileSync(join(recording, "out")));
  const replies = readFileSync(join(folder, "in"));
  replies[FIRST_TAG] = replies[FIRST_TAG]! ^ 0x40;
  writeFileSync(join(folder, "in"), replies);
  return folder;
}

async function main(): Promise<void> {
  const started = performance.now();
  const seed = Number(process.env["BROOME_SEED"] ?? (Math.random() * 2 ** 32) >>> 0);
  const folder = mkdtempSync(join(tmpdir(), "broome-isa-"));
  try {
    const able = CORES.filter((core) => {
      const missing = missingFor(core);
      if (missing) skip(core.name, missing);
      return missing === undefined;
    });
    const engine = await prepareEngine({ cacheDir: CACHE });
    if (engine.bits !== 32)
      skip("every core", "there are no 32-bit programs to compare with (apt install gcc-multilib)");
    else if (able.length > 0) await testAll(engine, able, folder, seed);
  } catch (error) {
    count.failed += 1;
    say(`  ✘ ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const ms = Math.round(performance.now() - started);
  console.log(JSON.stringify({ suite: "isa", ...count, seed, ms }));
  process.exitCode = count.failed > 0 ? 1 : 0;
}

async function testAll(engine: Engine, cores: Core[], folder: string, seed: number): Promise<void> {
  say(`recording on XS ${engine.xs}, 32-bit; seed ${seed}`);
  const boots = await recordLife(engine, join(folder, "life"));
  const programs = await recordPrograms(engine, folder, seed);
  const life = boots.map((boot, i): [string, Recording] => [LIFE[i] ?? `boot ${i + 1}`, boot]);
  check("a life has two boots", boots.length === 2 ? undefined : `${boots.length}`, "recorded");
  for (const core of cores) await testCore(core, [...programs, ...life], folder);
}

const LIFE = ["firmware: first boot, join, syncs, update", "firmware: trial of the new version, confirmed"];

await main();
