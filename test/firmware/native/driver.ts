// Compiles the device's curve25519 with driver.c for this machine, and asks it.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callCompiler, findCompiler } from "../../../tools/engine/cc.js";

const NATIVE = "firmware/native";
const STRICT = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-pedantic", "-Wall", "-Wextra", "-Werror"];

/** The C files of curve25519, without the one that needs XS. */
export function curveSources(): string[] {
  return readdirSync(NATIVE)
    .filter((name) => /^curve25519.*\.c$/.test(name) && name !== "curve25519-xs.c")
    .map((name) => join(NATIVE, name));
}

/** A built driver. */
export interface Driver {
  readonly binary: string;
  remove(): void;
}

/** Builds for this machine's native width: valgrind cannot start 32-bit programs. */
export async function buildDriver(...flags: string[]): Promise<Driver> {
  const dir = mkdtempSync(join(tmpdir(), "broome-curve-"));
  const binary = join(dir, "driver");
  const files = [...curveSources(), "test/firmware/native/driver.c"];
  await callCompiler(findCompiler().command, "driver.c", [
    ...STRICT,
    `-I${NATIVE}`,
    ...flags,
    ...files,
    "-o",
    binary,
  ]);
  return { binary, remove: () => rmSync(dir, { recursive: true }) };
}

export interface Answers {
  lines: string[];
  code: number | null;
  /** What the program, or what it runs under, complained of. */
  complaints: string;
}

/** One process answers all the lines. `under` is a program with its options that runs the driver. */
export function ask(driver: Driver, questions: string[], under: string[] = []): Promise<Answers> {
  const [command, ...args] = [...under, driver.binary];
  return new Promise((resolve, reject) => {
    const child = spawn(command!, args, { stdio: "pipe" });
    let output = "";
    let complaints = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
    child.stdin.on("error", () => undefined); // the exit code tells
    child.on("error", reject);
    child.on("close", (code) => resolve({ lines: output.split("\n").slice(0, -1), code, complaints }));
    child.stdin.end(questions.map((line) => `${line}\n`).join(""));
  });
}

/** One line for each question. Throws where the driver fails. */
export async function answersOf(driver: Driver, questions: string[]): Promise<string[]> {
  const { lines, code, complaints } = await ask(driver, questions);
  if (code !== 0 || lines.length !== questions.length) throw new Error(`exit ${code}: ${complaints}`);
  return lines;
}
