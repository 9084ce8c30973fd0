// `broome` at a real pty, and somebody who reads the screen and types.

import type { ExecutionContext } from "ava";
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { openPorts } from "../../tools/simulator/ports.js";
import { ptyHelper } from "../tools/serial/pty-helper.js";
import { root } from "./run-verb.js";

const WAIT_MS = 60_000;

export interface Terminal {
  /** Waits until the screen has shown `text` since the last call, then types `keys`. */
  answer(text: string, keys: string): Promise<void>;
  /** Everything shown, control sequences included. */
  screen(): string;
  exit: Promise<number | null>;
}

export async function terminal(t: ExecutionContext, folder: string, argv: string[]): Promise<Terminal> {
  const ports = await openPorts({ ptyHelper });
  t.teardown(() => ports.close());
  let shown = "";
  let seen = 0;
  ports.uart.onFromHost((bytes) => (shown += Buffer.from(bytes).toString()));
  const slave = openSync(ports.pty!, "r+");
  const child = spawn(process.execPath, [join(root, "tools/bin/broome.mjs"), ...argv], {
    cwd: folder,
    stdio: [slave, "pipe", slave],
    env: { ...process.env, NO_COLOR: "1", TERM: "xterm", BROOME_KEY_PASSPHRASE: "" },
  });
  closeSync(slave);
  t.teardown(() => child.kill("SIGKILL"));
  return {
    screen: () => shown,
    exit: new Promise((resolve) => child.on("exit", resolve)),
    async answer(text, keys) {
      for (const end = Date.now() + WAIT_MS; !shown.slice(seen).includes(text);) {
        if (Date.now() > end) throw new Error(`"${text}" never came; shown: ${shown.slice(seen)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      seen = shown.length;
      ports.uart.toHost(Buffer.from(keys));
    },
  };
}
