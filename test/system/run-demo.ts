// `npm run demo` as a process, and the line that it ends with.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./rig.js";

export interface DemoResult {
  ok: boolean;
  stages: { name: string; ok: boolean; ms: number }[];
  telemetry: { accepted: number; duplicate: number; replayRejected: number };
  ota: { from: string; to: string; confirmed: boolean };
  rollback: { from: string; rejected: string; to: string; reason: string };
  urls: Record<string, string>;
}

export const stageNames = [
  "engine",
  "build",
  "patch",
  "flash",
  "boot",
  "join",
  "telemetry",
  "ota",
  "rollback",
] as const;

/** Runs it to its end. `text` is what people see. */
export function runDemo(
  ...options: string[]
): Promise<{ code: number | null; result: DemoResult; text: string }> {
  const child = spawn(process.execPath, [join(root, "tools/bin/broome.mjs"), "demo", "--json", ...options], {
    cwd: root,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let stdout = "";
  let text = "";
  child.stdout.on("data", (bytes) => (stdout += bytes));
  child.stderr.on("data", (bytes) => (text += bytes));
  return new Promise((resolve, reject) => {
    child.once("close", (code) => {
      const last = stdout.trim().split("\n").at(-1) ?? "";
      try {
        resolve({ code, result: JSON.parse(last) as DemoResult, text });
      } catch {
        reject(new Error(`no JSON: ${stdout}\n${text}`));
      }
    });
  });
}
