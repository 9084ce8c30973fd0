// The stack of the device, 256 slots: on the paths besides those of memory.test.ts, too, a tenth of it is left.

import test, { type ExecutionContext } from "ava";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../../tools/demo/child.js";
import { UartLog } from "../../tools/demo/uart-log.js";
import { askBoard } from "../../tools/simulator/control.js";
import { Rig, type Server } from "./rig.js";

const SLOTS = 230; // 90 % of 256: a path that needs more ends in "stack overflow", with the names of who called
const TIMEOUT_MS = 90_000;

const rig = new Rig();
let server: Server;
let built: string;

test.before(async () => {
  await rig.verb("keys", "init", "--demo");
  server = await rig.serve();
  built = await rig.build("1.0.0");
});
test.after.always(() => rig.end());

/** From an erased flash with these credentials. */
async function live(t: ExecutionContext, name: string, app: string): Promise<[Service, UartLog]> {
  const board = await rig.board(name, ["--stack", String(SLOTS)]);
  await rig.flash(board, built, app);
  const log = await rig.listen(board, true);
  t.teardown(() => log.lines.filter((line) => /panic'ed/.test(line)).forEach((line) => t.log(line)));
  return [board, log];
}

/** Prints the peaks by phase, of the arena too, and looks whether the board ever crashed. */
async function sane(t: ExecutionContext, board: Service, log: UartLog): Promise<void> {
  const { stack, arena, lastCrash } = (await askBoard(board.first.control!, { op: "status" })) as {
    stack: { peak: Record<string, number>; limit: number };
    arena: { peak: Record<string, number> };
    lastCrash?: string;
  };
  t.log(JSON.stringify({ slots: stack.peak, bytes: arena.peak }));
  t.is(lastCrash, undefined);
  t.is(stack.limit, SLOTS);
  await log.detach();
  await board.end();
}

test("join, readings, an update and its trial, one that fails and its rollback", async (t) => {
  const [board, log] = await live(t, "ota", await rig.patch(built, rig.values(server)));
  const deviceid = await rig.approve(server, log);
  await rig.readings(server, deviceid, (names) => names.length >= 4);
  await rig.asAdmin(server, "release", "publish", await rig.build("1.0.1"));
  await rig.asAdmin(server, "ota", "trigger", deviceid);
  await log.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=ota/, 2 * TIMEOUT_MS);
  const again = log.mark;
  await askBoard(board.first.control!, { op: "reset" }); // as somebody does who opens a monitor during the trial
  await log.waitFor(/reason=again after/, TIMEOUT_MS, again);
  await log.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=ota/, TIMEOUT_MS, again);
  await log.waitFor(/ota: state=confirmed/, TIMEOUT_MS, again);
  // A version that trusts another server: its trial fails.
  const bad = await rig.build("1.0.2", ["--set-config", "serverPin=AAAAAAAAAAAAAAAAAAAAAA"]);
  await rig.asAdmin(server, "release", "publish", bad);
  await rig.asAdmin(server, "ota", "trigger", deviceid);
  await log.waitFor(/boot: slot=ota_0 version=1\.0\.2 cause=ota/, 2 * TIMEOUT_MS);
  const mark = log.mark;
  await log.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=rollback/, TIMEOUT_MS, mark);
  await log.waitFor(/sync: bound reply/, TIMEOUT_MS, mark);
  await sane(t, board, log);
});

test("a wrong password in the image: the chain goes on to the dialog and round again", async (t) => {
  const values = rig.values(server, { "wifi.password": "not the password" });
  const [board, log] = await live(t, "password", await rig.patch(built, values));
  await log.waitFor(/chain: step=defaults result=\S* ?.*wrong-password/, TIMEOUT_MS);
  await log.waitFor(/Press Enter/, TIMEOUT_MS);
  await sane(t, board, log);
});

test("a server that is away, before the join and after it", async (t) => {
  const away = await rig.serve("away");
  const app = await rig.patch(built, rig.values(away));
  await away.service.end();
  const [board, log] = await live(t, "away", app);
  await log.waitFor(/join: state=failed/, TIMEOUT_MS);
  const port = new URL(away.deviceUrl).port;
  const back = await rig.serve("away", ["--port", port]);
  const deviceid = await rig.approve(back, log);
  await rig.readings(back, deviceid, (names) => names.length > 0);
  await back.service.end();
  await log.waitFor(/sync: failed/, TIMEOUT_MS);
  await sane(t, board, log);
});

test("an identity that `patch --register` put in", async (t) => {
  const app = await rig.patch(built, rig.values(server));
  const out = join(built, "registered.bin");
  await rig.asAdmin(server, "patch", app, "-o", out, "--register");
  const [board, log] = await live(t, "registered", out);
  const [, deviceid] = await log.waitFor(/sync: bound reply from \S+ as (\S+)/, TIMEOUT_MS);
  await rig.readings(server, deviceid!, (names) => names.length > 0);
  t.notRegex(log.lines.join("\n"), /join: code/);
  t.false(readFileSync(out).equals(readFileSync(app)));
  await sane(t, board, log);
});
