// `broome smartconfig` gives a virtual board its Wi-Fi with real datagrams on this computer's loopback.

import test from "ava";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Rig, network } from "./rig.js";

const rig = new Rig();
let built: string;

test.before(async () => {
  built = await rig.build("1.0.0");
});
test.after.always(() => rig.end());

function answers(): string {
  const path = rig.path("answers.json");
  writeFileSync(path, JSON.stringify({ "wifi.ssid": network.ssid, "wifi.password": network.password }), {
    mode: 0o600,
  });
  return path;
}

const smartconfig = (...extra: string[]) =>
  rig.verb("smartconfig", "--from", answers(), "--address", "127.255.255.255", ...extra);

for (const version of ["v1", "v2"])
  test.serial(`${version}: the board comes on line, and the sender is told who it is`, async (t) => {
    const board = await rig.board(version);
    await rig.flash(board, built, join(built, "app.bin"));
    const log = await rig.listen(board, true);
    await log.waitFor(/step=defaults result=none/, 60_000);
    const result = await smartconfig(`--${version}`, "--timeout", "120");
    t.is(result.mac, board.first.mac);
    t.regex(String(result.ip), /^192\.168\.\d+\.\d+$/);
    await log.waitFor(/step=smartconfig result=online/, 60_000);
    await log.detach();
    await board.end();
  });

test.serial("where no board is, it says so in the end", async (t) => {
  const error = await t.throwsAsync(smartconfig("--timeout", "1"));
  t.is((error as { code?: string }).code, "no-answer");
});
