// `broome smartconfig` gives a virtual board its Wi-Fi with real datagrams on this computer's loopback.

import test from "ava";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Service } from "../../tools/demo/child.js";
import type { UartLog } from "../../tools/demo/uart-log.js";
import { deaf, Rig, network, world } from "./rig.js";

const rig = new Rig();
let built: string;

test.before(async () => {
  built = await rig.build("1.0.0");
});
test.after.always(() => rig.end());

const KEY = "MyEncryptionKey0";
const wifi = { "wifi.ssid": network.ssid, "wifi.password": network.password };

function answers(values: object): string {
  const path = rig.path("answers.json");
  writeFileSync(path, JSON.stringify(values), { mode: 0o600 });
  return path;
}

const smartconfig = (...extra: string[]) => sendWith(wifi, ...extra);
const sendWith = (values: object, ...extra: string[]) =>
  rig.verb("smartconfig", "--from", answers(values), "--address", "127.255.255.255", ...extra);

/** A board that knows no network, and listens. */
async function waiting(name: string, app: string, air: object = world): Promise<[Service, UartLog]> {
  const board = await rig.board(name, [], air);
  await rig.flash(board, built, app);
  const log = await rig.listen(board, true);
  await log.waitFor(/step=defaults result=none/, 60_000);
  return [board, log];
}

async function off(board: Service, log: UartLog): Promise<void> {
  await log.detach();
  await board.end();
}

for (const version of ["v1", "v2"])
  test.serial(`${version}: the board comes on line, and the sender is told who it is`, async (t) => {
    const [board, log] = await waiting(version, join(built, "app.bin"));
    const person = rig.talk(log);
    const result = await smartconfig(`--${version}`, "--timeout", "120");
    t.is(result.mac, board.first.mac);
    t.regex(String(result.ip), /^192\.168\.\d+\.\d+$/);
    await log.waitFor(/step=smartconfig result=online/, 60_000);
    // It has no server: its dialog asks for one, which is all that is left to do.
    await person.answer(/Press Enter to set up the server\.\n/, "");
    await person.answer(/Server, as [^\n]* \[none yet\]: $/, "nowhere");
    await person.asked(/That cannot be[^\n]*\n[^]*\[none yet\]: $/);
    await off(board, log);
  });

test.serial("network, server and join key sealed for a board: it joins, and nobody touched it", async (t) => {
  const server = await rig.serve();
  const [board, log] = await waiting("sealed", await rig.patch(built, { "smartconfig.key": KEY }));
  const values = { ...wifi, "smartconfig.key": KEY, "join.key": server.joinKey };
  const result = await sendWith(values, "--server", server.deviceUrl, "--timeout", "120");
  t.is(result.mac, board.first.mac);
  t.is(result.server, server.deviceUrl);
  const deviceid = await rig.approve(server, log);
  t.true((await rig.readings(server, deviceid, (names) => names.length > 0)).length > 0);
  const said = log.lines.join("\n");
  for (const secret of [KEY, server.joinKey, network.password]) t.false(said.includes(secret));
  await off(board, log);
});

test.serial(
  "a phone with another app's text in the reserved data gives the network all the same",
  async (t) => {
    const reserved = Buffer.from('{"cloud":"token"}').toString("hex");
    const phones = [{ at: 3000, via: network.ssid, ...network, reserved }];
    const [board, log] = await waiting("foreign", join(built, "app.bin"), { ...deaf, phones });
    await log.waitFor(/smartconfig: reserved data is ignored: it is another app's/, 60_000);
    await log.waitFor(/step=smartconfig result=online/, 60_000);
    await log.waitFor(/Press Enter to set up the server/, 60_000);
    t.is(log.lines.filter((line) => / smartconfig: /.test(line)).length, 1);
    await off(board, log);
  },
);

test.serial("where no board is, it says so in the end", async (t) => {
  const error = await t.throwsAsync(smartconfig("--timeout", "1"));
  t.is((error as { code?: string }).code, "no-answer");
});
