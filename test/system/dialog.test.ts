// With no credentials the board offers its dialog; a person completes it in `broome monitor`.

import test from "ava";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root, Rig, network } from "./rig.js";
import { UartLog } from "../../tools/demo/uart-log.js";

const rig = new Rig();
test.after.always(() => rig.end());

test("scan, choose, wrong password, right password, server, join: typed into broome monitor", async (t) => {
  const server = await rig.serve();
  const built = await rig.build("1.0.0");
  const board = await rig.board("blank");
  await rig.flash(board, built, join(built, "app.bin"));

  const monitor = spawn(
    process.execPath,
    [join(root, "tools/bin/broome.mjs"), "-p", board.first.port!, "monitor"],
    {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1" },
    },
  );
  const screen = new UartLog();
  monitor.stdout.on("data", (bytes: Buffer) => screen.take(Buffer.concat([bytes, Buffer.from("")])));
  let prompt = "";
  monitor.stdout.on("data", (bytes: Buffer) => (prompt = (prompt + bytes.toString()).slice(-8000)));
  const asked = async (pattern: RegExp) => {
    const end = Date.now() + 30_000;
    while (!pattern.test(prompt)) {
      if (Date.now() > end)
        throw new Error(`not asked ${pattern}; the screen ends with:\n${prompt.slice(-1500)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    prompt = "";
  };
  const type = (line: string) => monitor.stdin.write(`${line}\n`);
  try {
    await asked(/1 {2}Broome[^]*Number or name[^\n]*: $/);
    type("1");
    await asked(/Password[^\n]*: $/);
    type("not the password");
    await asked(/\[wrong-password[^]*Number or name[^\n]*: $/);
    type("1");
    await asked(/Password[^\n]*: $/);
    type(network.password);
    await asked(/Connected[^]*Server[^\n]*: $/);
    type(server.deviceUrl);
    await asked(/Join key[^\n]*: $/);
    type(server.joinKey);
    const deviceid = await rig.approve(server, screen);
    await rig.readings(server, deviceid, (names) => names.length > 0);
    t.notRegex(screen.lines.join("\n"), new RegExp(network.password));
  } finally {
    monitor.kill("SIGINT");
  }
});
