// `broome setup` brings a virtual board online, by Improv and by the dialog, and says why where it cannot.

import test from "ava";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPort } from "../../tools/serial/open.js";
import { improvOver } from "../support/improv-sdk.js";
import { terminal } from "../support/terminal.js";
import { Rig, network, type Server } from "./rig.js";

const rig = new Rig();
let server: Server;
let built: string;

test.before(async () => {
  server = await rig.serve();
  built = await rig.build("1.0.0");
});
test.after.always(() => rig.end());

/** On the real clock: on the fast one a board that no server takes would join for hours between two commands. */
async function blankBoard(name: string) {
  const board = await rig.board(name, ["--realtime"]);
  await rig.flash(board, built, join(built, "app.bin"));
  return board;
}

function answers(name: string, values: object): string {
  const path = rig.path(`${name}.json`);
  writeFileSync(path, JSON.stringify(values), { mode: 0o600 });
  return path;
}

const good = { "wifi.ssid": network.ssid, "wifi.password": network.password };

for (const [way, extra] of [
  ["Improv", []],
  ["the dialog", ["--dialog"]],
] as const)
  test.serial(
    `by ${way}: a wrong password is said to be one, the right one leads online, the server is named`,
    async (t) => {
      const board = await blankBoard(`blank-${extra.length}`);
      const port = board.first.port!;
      const wrong = answers("wrong", { ...good, "wifi.password": "not the password" });
      const setup = (file: string) => rig.verb("-p", port, "setup", "--answers", file, ...extra);
      const error = await t.throwsAsync(setup(wrong));
      t.is((error as { code?: string }).code, "wrong-password");
      // A server takes six joins a minute with one key.
      const { key } = await server.admin.call<{ key: string }>("POST", "/api/join-keys", { label: way });
      const full = answers("full", { ...good, "server.url": server.deviceUrl, "join.key": key });
      const elsewhere = server.deviceUrl.replace(/#.*/, "#AAAAAAAAAAAAAAAAAAAAAA");
      const otherPin = answers("pin", { ...good, "server.url": elsewhere, "join.key": key });
      const refused = await t.throwsAsync(setup(otherPin));
      t.is((refused as { code?: string }).code, "wrong-server");
      const result = await setup(full);
      if (way === "Improv") {
        t.is(result.ssid, network.ssid);
        t.regex(String(result.ip), /^192\.168\.\d+\.\d+$/);
        t.is(result.mac, board.first.mac);
      } else t.false("ssid" in result, "on line already: its dialog asks for no network");
      t.is(result.server, server.deviceUrl);
      t.regex(String(result.code), /^\d{6}$/);
      // It waits for its owner: the server can still be named anew.
      t.is((await setup(full)).code, result.code);
      await board.end();
    },
  );

const bare = () => server.deviceUrl.replace(/#.*/, "");

test.serial("without a pin nobody is there to compare the code: the server is not kept", async (t) => {
  const board = await blankBoard("no-pin");
  const values = { ...good, "server.url": bare(), "join.key": server.joinKey };
  const setup = rig.verb("-p", board.first.port!, "setup", "--answers", answers("bare", values));
  t.is(((await t.throwsAsync(setup)) as { code?: string }).code, "no-pin");
  await board.end();
});

test.serial("a person compares the code: no leads to another server, yes keeps this one's pin", async (t) => {
  const board = await blankBoard("compared");
  const argv = ["-p", board.first.port!, "setup", "--server", server.admin.url];
  const { answer, screen, exit } = await terminal(t, rig.path("."), argv);
  await answer("Which network shall the board use?", "1\r");
  await answer("Password of", `${network.password}\r`);
  for (const same of ["", "n", "y"]) {
    // Enter alone is no yes.
    await answer("Server, as", `\x15${bare()}\r`);
    await answer("Join key", `${server.joinKey}\r`);
    await answer("Does the server's page show", `${same}\r`);
  }
  await answer("compare this code", "");
  t.is(await exit, 0, screen());
  const code = /compare this code on the server's page: (\d{6})/.exec(screen())![1]!;
  type Row = { deviceid: string; code: string };
  const [row] = await server.admin.poll<Row[]>("/api/devices?state=pending", "the board", 30_000, (rows) =>
    rows.some((each) => each.code === code),
  );
  t.truthy(row);
  await board.end();
});

test.serial("by the dialog, a board that is on line and has its server is said to be so", async (t) => {
  const board = await rig.board("bound");
  const app = await rig.patch(built, rig.values(server));
  await rig.flash(board, built, app);
  const log = await rig.listen(board, true);
  await rig.approve(server, log);
  await log.detach();
  const error = await t.throwsAsync(
    rig.verb("-p", board.first.port!, "setup", "--answers", answers("full", good), "--dialog"),
  );
  t.is((error as { code?: string }).code, "already-online");
  await board.end();
});

test.serial(
  "npm's improv-wifi-serial-sdk sets the board up: the real firmware, its FIFO and its memory",
  async (t) => {
    const board = await blankBoard("sdk");
    const port = await openPort(board.first.port!, { baudRate: 115200 });
    t.teardown(() => port.close());
    const client = await improvOver({
      write: (bytes) => port.write(bytes),
      listen: (onBytes) => port.listen(onBytes),
    });
    const info = await client.initialize(10_000);
    t.deepEqual([info.firmware, info.version, info.chipFamily], ["broome-example", "1.0.0", "ESP32-C3"]);
    t.true((await client.scan()).some(({ name, secured }) => name === network.ssid && secured));
    await t.throwsAsync(
      client
        .provision(network.ssid, "not the password")
        .catch((why) => Promise.reject(new Error(String(why)))),
      { message: "UNABLE_TO_CONNECT" },
    );
    await client.provision(network.ssid, network.password);
    await client.requestCurrentState();
    t.is(client.state, 4);
    await client.close();
  },
);
