// What a build leaves in its folder: the parts, each whole or not at all, and build.json, which says what goes where.

import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BroomeError } from "../error.js";

export interface BuiltFile {
  readonly path: string;
  readonly offset: number; // in flash
  readonly size: number;
  readonly sha256: string; // hex
}

/** Throws `file-unwritable`. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new BroomeError(
      "file-unwritable",
      `${path} cannot be made a folder: ${(error as Error).message}`,
      "Give --out a folder that you may write to.",
      { cause: error },
    );
  }
}

/** Each file whole or not at all. Throws `file-unwritable`. */
export function writeFiles(
  outDir: string,
  files: readonly { name: string; offset: number; bytes: Uint8Array }[],
): BuiltFile[] {
  makeFolder(outDir);
  return files.map(({ name, offset, bytes }) => {
    const path = join(outDir, name);
    replaceFile(path, bytes);
    return { path, offset, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
}

/** app.elf beside the image, for `broome monitor`; without `elf` none of an earlier build stays. */
export function keepProgram(outDir: string, elf: Uint8Array | undefined): void {
  const path = join(outDir, "app.elf");
  if (elf) replaceFile(path, elf);
  else rmSync(path, { force: true });
}

/** build.json: what `flash --dir` writes where; paths relative to itself. `facts` are the verb's result. */
export function describeBuild(
  outDir: string,
  facts: { readonly files: readonly BuiltFile[] },
  more: Readonly<Record<string, unknown>>,
): void {
  const files = facts.files.map((file) => ({
    ...file,
    path: file.path.slice(outDir.length).replace(/^[\\/]/, ""),
  }));
  replaceFile(join(outDir, "build.json"), `${JSON.stringify({ ...facts, files, ...more }, null, 2)}\n`);
}

function replaceFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}
