// The main job, end to end, on a virtual board: runs the stages in order and says what each did.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import type { Context } from "../verb.js";
import type { Demo, Stage } from "./stage.js";
import { boot } from "./stages/boot.js";
import { build } from "./stages/build.js";
import { engine } from "./stages/engine.js";
import { flash } from "./stages/flash.js";
import { join as joinStage } from "./stages/join.js";
import { ota } from "./stages/ota.js";
import { patch } from "./stages/patch.js";
import { rollback } from "./stages/rollback.js";
import { telemetry } from "./stages/telemetry.js";
import { UartLog } from "./uart-log.js";

const stages: readonly Stage[] = [engine, build, patch, flash, boot, joinStage, telemetry, ota, rollback];

export interface StageResult extends Record<string, unknown> {
  name: string;
  ok: boolean;
  ms: number;
}

function newDemo(context: Context, chip: string): Demo {
  const parent = join(context.cacheDir, "demo");
  mkdirSync(parent, { recursive: true });
  return {
    context,
    chip,
    folder: mkdtempSync(join(parent, "run-")),
    uart: new UartLog(),
    note: (text) => context.log(pc.dim(`            ${text}`)),
    facts: {},
  };
}

async function runStage(stage: Stage, demo: Demo): Promise<StageResult> {
  const started = Date.now();
  const { text, ...figures } = await stage.run(demo);
  const ms = Date.now() - started;
  demo.context.log(`${pc.green("✓")} ${stage.name.padEnd(10)}${text} ${pc.dim(`(${ms} ms)`)}`);
  return { ...figures, name: stage.name, ok: true, ms };
}

/** Ends what runs; the files stay. */
async function switchOff(demo: Demo): Promise<void> {
  await demo.uart.detach();
  await demo.board?.end();
  await demo.server?.end();
}

/** Ends what runs and, unless it is kept, takes this run's folder away. */
async function cleanUp(demo: Demo, keep: boolean): Promise<void> {
  if (keep) {
    await demo.uart.detach();
    demo.board?.detach();
    demo.server?.detach();
    return;
  }
  await switchOff(demo);
  rmSync(demo.folder, { recursive: true, force: true });
}

/**
 * Runs all stages.
 *
 * @returns the fields of CONTRACT's demo line
 * @throws the error of the first stage that failed; the run's folder with its logs then stays
 */
export async function runDemo(
  context: Context,
  options: { keep: boolean; chip: string },
): Promise<Record<string, unknown>> {
  const demo = newDemo(context, options.chip);
  const results: StageResult[] = [];
  const onAbort = () => void cleanUp(demo, false).finally(() => process.exit(130));
  context.signal.addEventListener("abort", onAbort, { once: true });
  let current = "";
  try {
    for (const stage of stages) {
      current = stage.name;
      results.push(await runStage(stage, demo));
    }
  } catch (error) {
    context.log(`${pc.red("✗")} ${current}`);
    context.log(`            logs: ${demo.folder}`);
    await switchOff(demo);
    throw error;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
  }
  const pids = [demo.server!.pid, demo.board!.pid];
  const urls = {
    page: demo.server!.first.url!,
    device: demo.server!.first.deviceUrl!,
    board: demo.board!.first.port!,
  };
  await cleanUp(demo, options.keep);
  summary(context, results, urls, options.keep ? { folder: demo.folder, pids } : undefined);
  return { stages: results, ...demo.facts, urls, ...(options.keep && { folder: demo.folder, pids }) };
}

function summary(
  context: Context,
  results: StageResult[],
  urls: Record<string, string>,
  kept: { folder: string; pids: number[] } | undefined,
): void {
  const total = results.reduce((sum, { ms }) => sum + ms, 0);
  context.log("");
  context.log(`All of it happened, in ${(total / 1000).toFixed(1)} s.`);
  for (const { name, ms, bytes, bytesWritten } of results) {
    const size = (bytes ?? bytesWritten) as number | undefined;
    context.log(
      `  ${name.padEnd(10)}${String(ms).padStart(6)} ms${size === undefined ? "" : `${String(size).padStart(9)} bytes`}`,
    );
  }
  context.log("");
  if (kept) {
    context.log(`Page:  ${urls.page}   log in with the token in ${kept.folder}/server.admin-token`);
    context.log(
      `Board: ${urls.board}   still running; so is the server. To end both: kill ${kept.pids.join(" ")}`,
    );
    context.log(`Next:  npx broome -p ${urls.board} monitor`);
  } else {
    context.log(
      "Page:  npm run demo -- --keep leaves the server and the board running and prints its address",
    );
    context.log("Next:  npm run demo -- --keep");
  }
  context.log("       npx broome serve");
  context.log(
    "       npx broome sim        and, in another window: npx broome -p PORT build patch flash monitor",
  );
}
