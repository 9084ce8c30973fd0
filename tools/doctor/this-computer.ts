// The probes of `broome doctor` on the computer that it runs on.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir, userInfo } from "node:os";
import { delimiter } from "node:path";
import { listPorts } from "../serial/list.js";
import type { Output, Probes } from "./probes.js";

const RUN_TIMEOUT_MS = 10_000;
const MAX_OUTPUT = 1 << 20; // characters of each stream that are kept

/** Where tools like rfkill live that are not on a user's path in every distribution. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"];

export function thisComputer(): Probes {
  const { username, uid } = userInfo();
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    env: process.env,
    home: homedir(),
    typescript: orUndefined(typescriptVersion),
    user: { name: username, uid, groups: process.getgroups?.() ?? [] },
    run,
    read: (path) => orUndefined(() => readFileSync(path, "utf8")),
    list: (path) => orUndefined(() => readdirSync(path)) ?? [],
    exists: existsSync,
    access: (path) =>
      orUndefined(() => {
        const { gid } = statSync(path);
        const allowed =
          orUndefined(() => {
            accessSync(path, constants.R_OK | constants.W_OK);
            return true;
          }) ?? false;
        return { allowed, gid };
      }),
    ports: listPorts,
  };
}

function typescriptVersion(): string {
  const file = createRequire(import.meta.url).resolve("typescript/package.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function run(command: string, args: readonly string[], input = ""): Promise<Output | undefined> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: [process.env.PATH, ...SYSTEM_FOLDERS].join(delimiter), LC_ALL: "C" };
    const child = spawn(command, args, { env, timeout: RUN_TIMEOUT_MS, windowsHide: true });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (piece) => (stdout = (stdout + piece).slice(0, MAX_OUTPUT)));
    child.stderr.on("data", (piece) => (stderr = (stderr + piece).slice(0, MAX_OUTPUT)));
    child.on("error", () => resolve(undefined));
    child.on("close", (status) => resolve({ status, stdout, stderr }));
    child.stdin.on("error", () => {}); // a program that does not read its input
    child.stdin.end(input);
  });
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
