// A maker changes a reading's name in the app and flashes a board that is already running: the server sees the new name.

import test from "ava";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, Rig } from "./rig.js";

const rig = new Rig();
test.after.always(() => rig.end());

test("build patch flash, chained, changes the reading's name and keeps the board's identity", async (t) => {
  const server = await rig.serve();
  const built = await rig.build("1.0.0");
  const board = await rig.board("maker");
  await rig.flash(board, built, await rig.patch(built, rig.values(server)));
  const log = await rig.listen(board, true);
  const deviceid = await rig.approve(server, log);
  await rig.readings(server, deviceid, (names) => names.includes("temperature"));
  await log.detach();

  const copy = rig.path("app");
  cpSync(join(root, "firmware/app"), copy, { recursive: true });
  const file = join(copy, "app.ts");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll('"temperature"', '"soilTemperature"'));
  const answers = rig.path("answers.json");
  writeFileSync(answers, JSON.stringify(rig.values(server)), { mode: 0o600 });
  const result = await rig.verb(
    ...["-p", board.first.port!],
    ...["build", "--app", copy, "--version", "1.0.1", "--out", rig.path("changed")],
    ...["patch", "--from", answers],
    "flash",
  );
  t.true(result.verified);
  await rig.readings(server, deviceid, (names) => names.includes("soilTemperature"));
  const devices = await server.admin.get<unknown[]>("/api/devices");
  t.is(devices.length, 1, "it is still the same device");
});
