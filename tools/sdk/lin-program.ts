// The program that runs a `lin` build without a window: our runner, compiled against the SDK's screen.h.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { BroomeError } from "../error.js";
import type { Sdk } from "./find.js";

/** Throws `compiler-missing` with the compiler's own words. */
export function buildLinProgram(root: string, sdk: Sdk, program: string): void {
  try {
    const flags = execFileSync("pkg-config", ["--cflags", "--libs", "glib-2.0"], { encoding: "utf8" }).trim();
    const argv = ["-O1", "-DmxLinux=1", `-I${join(sdk.root, "build/simulators/modules")}`];
    argv.push(join(root, "tools/sdk/lin-runner.c"), "-o", program, ...flags.split(/\s+/), "-ldl");
    execFileSync(process.env.CC ?? "cc", argv, { stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    const { stderr, message } = cause as { stderr?: Buffer | string; message: string };
    throw new BroomeError(
      "compiler-missing",
      `the runner of lin builds was not compiled: ${String(stderr ?? "").trim() || message}`,
      "Install a C compiler and GLib's headers: apt install gcc pkg-config libglib2.0-dev.",
      { cause },
    );
  }
}
