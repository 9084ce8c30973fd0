// A server that a phone named: joined with nothing else, and never at the cost of the one that worked.

import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { createServer } from "node:net";
import { encodeReserved } from "../../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../../firmware/protocol/server-url.js";
import { getRecord } from "../../../firmware/store/json-record.js";
import { IDENTITY, SENT_SERVER, SERVER } from "../../../firmware/store/keys.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";
import { startTestServer, type TestServer } from "../../support/test-server.js";

const KEY = "MyEncryptionKey0";
const derby = { ssid: "Derby", password: "boab-prison-tree" };

test.afterEach.always(() => FirmwareBoard.endAll());

async function serve(t: ExecutionContext): Promise<TestServer & { joinKey: string }> {
  const server = await startTestServer();
  t.teardown(() => server.close());
  const { body } = await server.admin("POST", "/api/join-keys", { label: "test" });
  return { ...server, joinKey: (body as { key: string }).key };
}

function phoneWith(url: string, joinKey: string | undefined, more: object = {}): object {
  const reserved = Buffer.from(encodeReserved({ server: parseServerUrl(url), joinKey })).toString("hex");
  return { at: 3000, via: network.ssid, ...network, key: KEY, reserved, ...more };
}

async function approve(board: FirmwareBoard, server: TestServer, from = 0): Promise<string> {
  const [, code] = await board.waitFor(/join: code=(\d{6}) state=pending/, from);
  for (let i = 0; i < 500; i += 1) {
    const rows = (await server.admin("GET", "/api/devices?state=pending")).body as {
      deviceid: string;
      code: string;
    }[];
    const row = rows.find((one) => one.code === code);
    if (row) {
      await server.admin("POST", `/api/devices/${row.deviceid}/approve`, { code });
      await board.waitFor(/state=approved/, from);
      return row.deviceid;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`the page never showed ${code}; said:\n${board.said.slice(-2000)}`);
}

const identity = (board: FirmwareBoard) => getRecord<{ id: string; url: string }>(board.store, IDENTITY);

test.serial("a blank board that holds a key alone joins by the phone alone", async (t) => {
  const server = await serve(t);
  const url = server.server.deviceUrl;
  const board = new FirmwareBoard({
    defaults: { "smartconfig.key": KEY },
    world: worldOf({ phones: [phoneWith(url, server.joinKey)] }),
  });
  const id = await approve(board, server);
  t.is(identity(board)!.id, id);
  t.deepEqual(getRecord(board.store, SERVER), { url, key: server.joinKey, fresh: false });
  t.is(board.store.get(SENT_SERVER), undefined);
  t.false(board.said.includes(server.joinKey));
});

test.serial("a server in the clear is joined with the join key that lies in the image", async (t) => {
  const server = await serve(t);
  const url = server.server.deviceUrl;
  const board = new FirmwareBoard({
    defaults: { "join.key": server.joinKey },
    world: worldOf({ phones: [phoneWith(url, undefined, { key: undefined })] }),
  });
  await approve(board, server);
  t.is(identity(board)!.url, url);
});

/** A member of `home` whose network goes away, and to whom a phone then names another network and `url`. */
async function moved(t: ExecutionContext, url: string, joinKey: string | undefined) {
  const home = await serve(t);
  const { body } = await home.admin("POST", "/api/devices", { name: "pre" });
  const { id, key } = body as { id: string; key: string };
  const board = new FirmwareBoard({
    defaults: {
      ...{ "wifi.ssid": network.ssid, "wifi.password": network.password, "smartconfig.key": KEY },
      ...{ "server.url": home.server.deviceUrl, "device.id": id, "device.key": key },
    },
    world: worldOf({
      accessPoints: [
        { ...network, security: "wpa2", channel: 6, rssi: -50 },
        { ...derby, security: "wpa2", channel: 1, rssi: -60 },
      ],
      phones: [phoneWith(url, joinKey, { at: 20_000, via: derby.ssid, ...derby })],
    }),
  });
  await board.waitFor(/sync: bound reply/);
  const before = identity(board);
  const mark = board.said.length;
  board.air.setFailure(network.ssid, "absent");
  await board.waitFor(/step=smartconfig result=online/, mark);
  await board.waitFor(/smartconfig: server .* is stored/, mark);
  return { board, mark, before, id };
}

test.serial(
  "a member is sent to another server: the old identity stays until the new owner approves",
  async (t) => {
    const elsewhere = await serve(t);
    const { board, mark, before } = await moved(t, elsewhere.server.deviceUrl, elsewhere.joinKey);
    await board.waitFor(/state=pending/, mark);
    t.deepEqual(identity(board), before);
    const id = await approve(board, elsewhere, mark);
    t.is(identity(board)!.id, id);
    t.is(identity(board)!.url, elsewhere.server.deviceUrl);
    t.is(board.store.get(SENT_SERVER), undefined);
  },
);

test.serial(
  "a server whose owner has not decided is not forgotten because the old one answers",
  async (t) => {
    const elsewhere = await startTestServer();
    t.teardown(() => elsewhere.close());
    const { body } = await elsewhere.admin("POST", "/api/join-keys", { label: "test" });
    const { key } = body as { key: string };
    const { board, mark } = await moved(t, elsewhere.server.deviceUrl, key);
    await board.waitFor(/state=pending/, mark);
    const sent = board.store.get(SENT_SERVER);
    await elsewhere.close();
    const again = board.reset("power-on");
    await again.waitFor(/sync: bound reply/);
    t.deepEqual(again.store.get(SENT_SERVER), sent);
  },
);

test.serial(
  "a server that accepts connections and takes no device is forgotten once the old one answers",
  async (t) => {
    const nobody = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    }).listen(0, "127.0.0.1");
    await once(nobody, "listening");
    t.teardown(() => nobody.close());
    const { port } = nobody.address() as { port: number };
    const { board, mark, before } = await moved(t, `http://127.0.0.1:${port}/`, "A".repeat(30));
    await board.waitFor(/join: state=failed/, mark);
    await board.waitFor(/sync: bound reply/, mark);
    t.deepEqual(identity(board), before);
    t.is(board.store.get(SENT_SERVER), undefined);
    t.is(getRecord(board.store, SERVER), undefined);
  },
);

test.serial(
  "without a join key the dialog asks for it, shows the server that was sent, and takes its place",
  async (t) => {
    const server = await serve(t);
    const url = server.server.deviceUrl;
    const board = new FirmwareBoard({
      world: worldOf({ clock: "real", phones: [phoneWith(url, undefined, { key: undefined, at: 500 })] }),
    });
    await board.waitFor(/no usable join key[^]*Press Enter to set up the server/);
    t.deepEqual(getRecord(board.store, SENT_SERVER), { url, key: "" });
    board.type("\n");
    const [, shown] = await board.waitFor(/Server, as [^\n]*\[([^\]]*)\]: $/);
    t.is(shown, url);
    board.type("\n"); // takes it
    await board.waitFor(/Join key \(not shown\): $/);
    board.type(`${server.joinKey}\n`);
    await board.waitFor(/The server is stored/);
    t.is(board.store.get(SENT_SERVER), undefined);
    await approve(board, server);
    t.is(board.store.get(SENT_SERVER), undefined);
    t.deepEqual(getRecord(board.store, SERVER), { url, key: server.joinKey, fresh: false });
  },
);
