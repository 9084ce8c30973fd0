// Links JavaScript modules into an archive, with the engine's own compiler and linker (c/link.c).
import { spawn } from "node:child_process";
import { BroomeError } from "../error.js";
import { readArchive } from "./archive.js";
import type { Engine } from "./compiler.js";
import { lineMap } from "./source-map.js";

/** One JavaScript module. `name` is what XS knows it by: its path without ".js". */
export interface ModuleSource {
  name: string;
  source: string;
  /** What error messages call it; default: the name with ".js". */
  path?: string;
  /** Source map (JSON), if the source was transformed: messages then name the lines of the original. */
  map?: string;
}

export interface LinkOptions {
  modules: ModuleSource[];
  /** Names of modules that are evaluated into the read-only root at every boot. */
  preload: string[];
  resources: { name: string; data: Uint8Array }[];
}

/** Result of a link: the archive, the identity of the engine's symbols in it, and how many symbols it adds. */
export interface LinkResult {
  archive: Uint8Array;
  rootHash: Uint8Array;
  symbols: number;
}

/**
 * Compiles modules and links them to the symbol ids of the engine's root.
 *
 * Throws BroomeError `compile-error` with "path:line: message" lines, `module-missing` if that is all that is wrong.
 */
export async function link(engine: Engine, o: LinkOptions): Promise<LinkResult> {
  const archive = await runLinker(engine, encodeRequest(o));
  const info = readArchive(archive);
  return { archive, rootHash: info.rootHash, symbols: info.symbols.length };
}

function encodeRequest(o: LinkOptions): Buffer {
  const parts: Buffer[] = [];
  const field = (bytes: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, Buffer.from(bytes));
  };
  const record = (kind: string, ...fields: (string | Uint8Array)[]) => {
    parts.push(Buffer.from(kind));
    for (const value of fields) field(typeof value === "string" ? Buffer.from(value, "utf8") : value);
  };
  for (const { name, path, source, map } of o.modules) {
    const lines = map === undefined ? new Uint32Array(0) : lineMap(map);
    record("M", name, path ?? `${name}.js`, source, new Uint8Array(lines.buffer));
  }
  for (const name of o.preload) record("P", name);
  for (const resource of o.resources) record("R", resource.name, resource.data);
  parts.push(Buffer.from("E"));
  return Buffer.concat(parts);
}

function runLinker(engine: Engine, request: Buffer): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = spawn(engine.binary, ["link"], { stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    let errors = "";
    child.stdout.on("data", (bytes: Buffer) => output.push(bytes));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.stdin.on("error", () => undefined); // the exit code tells
    child.on("error", (cause) => reject(cannotRun(engine, cause)));
    child.on("close", (code) => {
      if (code === 0) resolve(new Uint8Array(Buffer.concat(output)));
      else reject(linkError(errors.trim() || `engine link ended with ${code}`));
    });
    child.stdin.end(request);
  });
}

const MISSING = "module-missing: ";

function linkError(text: string): BroomeError {
  const lines = text.split("\n");
  if (!lines.every((line) => line.includes(MISSING))) {
    return new BroomeError("compile-error", text.replaceAll(MISSING, "no module "), COMPILE_HELP);
  }
  return new BroomeError("module-missing", text.replaceAll(MISSING, "no module "), MISSING_HELP);
}

const MISSING_HELP =
  "Correct the import (relative ones end in .js), or add the module's folder to manifest.json.";
const COMPILE_HELP = "Correct the line and build again. The device's JavaScript is ES2022.";

function cannotRun(engine: Engine, cause: unknown): BroomeError {
  return new BroomeError(
    "engine-build-failed",
    `${engine.binary} cannot be run: ${(cause as Error).message}`,
    "Delete the folder .broome/engine: the engine is built again at the next run.",
    { cause },
  );
}
