import test from "ava";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockFlash } from "../../../tools/simulator/flash-lock.js";

const folder = mkdtempSync(join(tmpdir(), "broome-lock-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const linux = process.platform === "linux" ? test : test.skip;

linux("the lock of a board that was killed is taken over, though its parent has not reaped it", async (t) => {
  // A shell that starts a child, says its number, kills it and never waits: the child stays a zombie.
  const script = "sleep 100 & echo $!; kill -9 $!; exec sleep 100";
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  try {
    const pid = Number(String(await new Promise<Buffer>((resolve) => shell.stdout.once("data", resolve))));
    const stat = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!;
    for (let tries = 0; tries < 3000 && !stat().startsWith("Z"); tries += 1)
      await new Promise((done) => setTimeout(done, 10));
    t.regex(stat(), /^Z/);
    const flash = join(folder, "zombie.flash");
    writeFileSync(`${flash}.lock`, `${pid} ${stat().split(" ")[19]}\n`);
    const unlock = lockFlash(flash);
    t.throws(() => lockFlash(flash), { code: "flash-busy" });
    unlock();
    t.notThrows(() => lockFlash(flash)());
  } finally {
    shell.kill("SIGKILL");
  }
});
