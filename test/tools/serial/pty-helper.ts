// The C helper that holds a pty's master, compiled for a test file.

import test from "ava";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "broome-pty-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

export const ptyHelper = join(folder, "pty");
export const absentHelper = join(folder, "absent");
execFileSync("cc", ["-D_GNU_SOURCE", "-O1", "-o", ptyHelper, "tools/engine/c/pty.c"]);
