// A gadget that says as much as it may: its outbox full of the longest readings, its requests as long as an ESP8266 may send.

import test from "ava";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { askBoard } from "../../tools/simulator/control.js";
import { Rig, type Server } from "./rig.js";

const SLOTS = 230; // 90 % of its stack
const FULL = 1_400; // bytes of a sealed request: more than 950 in it, and the next reading would not fit
const TIMEOUT_MS = 120_000;

/** 32 readings wait at once, each with a name of 32 and a text of 64 bytes, and pins' texts with them. */
const APP = `
import type { AppApi } from "../agent/app-api.js";

export default function app({ telemetry, pins, timer }: AppApi): void {
  const digits = "0123456789abcdef";
  let count = 0;
  const text = (length: number) => {
    let result = "";
    while (result.length < length) result += digits[(count + result.length * 7) % 16];
    return result;
  };
  const fill = () => {
    for (let i = 0; i < 32; i += 1) {
      count += 1;
      telemetry.add(("reading" + (i % 8) + ".").padEnd(32, "x"), text(64));
    }
    for (let pin = 10; pin < 13; pin += 1) pins.write(pin, text(64));
  };
  fill();
  timer.repeat(fill, 4000);
}
`;

const rig = new Rig();
let server: Server;
let built: string;

test.before(async () => {
  await rig.verb("keys", "init", "--demo");
  server = await rig.serve();
  const app = rig.path("app");
  mkdirSync(app);
  writeFileSync(`${app}/app.ts`, APP);
  built = await rig.build("1.0.0", ["--app", app]);
  const next = await rig.build("1.0.1", ["--app", app]);
  await rig.asAdmin(server, "release", "publish", next);
});
test.after.always(() => rig.end());

test("a full outbox and full requests: join, syncs and an update fit the ESP8266's arena and stack", async (t) => {
  const app = await rig.patch(built, rig.values(server));
  const air = rig.path("air.pcap");
  const board = await rig.board("talkative", ["--stack", String(SLOTS), "--capture", air]);
  await rig.flash(board, built, app);
  const log = await rig.listen(board, true);
  const deviceid = await rig.approve(server, log);
  await rig.readings(server, deviceid, (names) => names.length >= 8);
  await server.admin.call("POST", `/api/devices/${deviceid}/ota`, {});
  await log.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=ota/, TIMEOUT_MS);
  await log.waitFor(/ota: state=confirmed/, TIMEOUT_MS);
  const status = await askBoard(board.first.control!, { op: "status" });
  t.log(JSON.stringify({ arena: status.arena, stack: status.stack }));
  t.is(status.lastCrash, undefined); // "memory full" is one
  await log.detach();
  await board.end();
  const sent = readFileSync(air, "latin1").matchAll(/POST \/[^ ]+[^]*?\r\ncontent-length: (\d+)/gi);
  const lengths = Array.from(sent, ([, length]) => Number(length));
  t.log(`longest request ${Math.max(...lengths)} bytes of ${lengths.length}`);
  t.true(Math.max(...lengths) > FULL);
});
