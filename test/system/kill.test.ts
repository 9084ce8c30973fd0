// kill -9 of the board's process at the worst moments; a new process on the same flash file goes on from what is there.

import test from "ava";
import { closeSync, openSync, readSync } from "node:fs";
import { Rig, type Server } from "./rig.js";

const rig = new Rig();
let server: Server;
let built: string;
let app: string;

test.before(async () => {
  await rig.verb("keys", "init", "--demo");
  server = await rig.serve();
  built = await rig.build("1.0.0");
  app = await rig.patch(built, rig.values(server));
});
test.after.always(() => rig.end());

function kill(pid: number): Promise<void> {
  process.kill(pid, "SIGKILL");
  return new Promise((resolve) => setTimeout(resolve, 300));
}

test.serial("killed while it is flashed, the board takes the same command again", async (t) => {
  const board = await rig.board("flash", ["--realtime"]);
  const flashing = rig.flash(board, built, app, ["--baud", "115200"]); // ten seconds of line
  flashing.catch(() => {});
  const file = rig.path("flash.flash");
  const started = Date.now();
  for (const begin = Buffer.alloc(0x1000, 0xff); begin.every((byte) => byte === 0xff);) {
    const flash = openSync(file, "r");
    readSync(flash, begin, 0, begin.length, 0x10000); // some of the app is there, not all
    closeSync(flash);
    if (Date.now() - started > 60_000) return t.fail("nothing was written");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await kill(board.pid);
  const error = await t.throwsAsync(flashing);
  t.truthy((error as { code?: string } | undefined)?.code);
  const again = await rig.board("flash");
  const result = await rig.flash(again, built, app);
  t.true(result.verified);
  const log = await rig.listen(again, true);
  await log.waitFor(/result=online/, 60_000); // from its defaults, or from its store if it was quick before the reset
  await log.detach();
  await again.end();
});

test.serial("killed while it boots, it boots again", async (t) => {
  const board = await rig.board("boot");
  await rig.flash(board, built, app);
  const log = await rig.listen(board, true);
  await log.waitFor(/boot: slot=ota_0/, 60_000);
  await kill(board.pid);
  await log.detach();
  const again = await rig.board("boot");
  const heard = await rig.listen(again, true);
  await heard.waitFor(/result=online/, 60_000);
  t.notRegex(heard.lines.join("\n"), /Guru|cause=(?!power-on|external)\S/);
  await heard.detach();
  await again.end();
});

test.serial(
  "killed while its join is pending, it is the same device afterwards and can be approved",
  async (t) => {
    const board = await rig.board("join");
    await rig.flash(board, built, app);
    const log = await rig.listen(board, true);
    const [, code] = await log.waitFor(/join: code=(\d{6}) state=pending/, 60_000);
    await kill(board.pid);
    await log.detach();
    const again = await rig.board("join");
    const heard = await rig.listen(again, true);
    const [, after] = await heard.waitFor(/join: code=(\d{6}) state=pending/, 60_000);
    t.is(after, code);
    const deviceid = await rig.approve(server, heard);
    await rig.readings(server, deviceid, (names) => names.length > 0);
    await heard.detach();
    await again.end();
  },
);

test.serial(
  "killed in the middle of an update, it goes on with the chunks it has and becomes the new version",
  async (t) => {
    const board = await rig.board("ota");
    await rig.flash(board, built, app);
    const log = await rig.listen(board, true);
    const deviceid = await rig.approve(server, log);
    const next = await rig.build("1.0.1");
    await rig.asAdmin(server, "release", "publish", next);
    await rig.asAdmin(server, "ota", "trigger", deviceid);
    await log.waitFor(/ota: state=downloading percent=[2-9]\d/, 60_000);
    await kill(board.pid);
    await log.detach();
    const again = await rig.board("ota");
    const heard = await rig.listen(again, true);
    await heard.waitFor(/boot: slot=ota_0 version=1\.0\.0/, 60_000);
    await heard.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=ota/, 60_000);
    await heard.waitFor(/ota: state=confirmed/, 60_000);
    const said = heard.lines.join("\n");
    t.notRegex(said, /Guru|cause=rollback|ota: state=failed/);
    await heard.detach();
    await again.end();
  },
);
