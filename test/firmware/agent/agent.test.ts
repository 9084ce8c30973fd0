// The device's loop against the real server: join, readings, pins, lost stores, refusals. In Node, over real sockets.

import test from "ava";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AppApi } from "../../../firmware/agent/app-api.js";
import type { Defaults } from "../../../firmware/format/defaults-block.js";
import { encodeFrame, FrameType } from "../../../firmware/protocol/improv.js";
import { BOOT_NUMBER, IDENTITY, PENDING_IDENTITY } from "../../../firmware/store/keys.js";
import { getCount, getRecord } from "../../../firmware/store/json-record.js";
import { FirmwareBoard, network } from "../../support/firmware-board.js";
import { startTestServer, type TestServer } from "../../support/test-server.js";

let server: TestServer;
test.beforeEach(async () => {
  server = await startTestServer();
});
test.afterEach.always(async () => {
  FirmwareBoard.endAll();
  await server.close();
});

interface Row {
  deviceid: string;
  code: string;
  version: string;
  ssid: string;
}

async function get<T>(path: string): Promise<T> {
  return (await server.admin("GET", path)).body as T;
}

async function values(more: Defaults = {}): Promise<Defaults> {
  const { body } = await server.admin("POST", "/api/join-keys", { label: "test" });
  return {
    "wifi.ssid": network.ssid,
    "wifi.password": network.password,
    "server.url": server.server.deviceUrl,
    "join.key": (body as { key: string }).key,
    ...more,
  };
}

/** A device that was registered beforehand: no join. */
async function registered(): Promise<{ id: string; defaults: Defaults }> {
  const { body } = await server.admin("POST", "/api/devices", { name: "pre" });
  const { id, key } = body as { id: string; key: string };
  return { id, defaults: await values({ "device.id": id, "device.key": key, "join.key": "" }) };
}

async function poll<T>(path: string, wanted: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 6000; i += 1) {
    const value = await get<T>(path);
    if (wanted(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(
    `${path} did not become what was wanted; said:\n${FirmwareBoard.current!.said.slice(-2000)}`,
  );
}

/** Waits for the code on the UART and approves by it. */
async function approve(board: FirmwareBoard): Promise<string> {
  const [, code] = await board.waitFor(/join: code=(\d{6}) state=pending/);
  const rows = await poll<Row[]>("/api/devices?state=pending", (all) => all.length > 0);
  same(rows[0]!.code, code!);
  const id = rows[0]!.deviceid;
  await server.admin("POST", `/api/devices/${id}/approve`, { code });
  await board.waitFor(/state=approved/);
  return id;
}

function same(actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`the page shows ${actual}, the device ${expected}`);
}

const sampling = ({ telemetry, timer }: AppApi) => {
  let n = 0;
  timer.repeat(() => telemetry.add("n", (n += 1)), 50);
};

/** Every number that the app made so far, each once and in order. */
async function isComplete(id: string, count: number): Promise<boolean> {
  const rows = await poll<{ value: number }[]>(
    `/api/devices/${id}/readings?limit=1000`,
    (all) => all.length >= count,
  );
  const got = rows.map(({ value }) => value).reverse();
  return got.every((value, i) => value === i + 1);
}

test.serial(
  "joins, shows the code, waits for the owner, and delivers what it sampled meanwhile",
  async (t) => {
    const board = new FirmwareBoard({ defaults: await values(), app: sampling });
    await board.waitFor(/state=pending/);
    t.truthy(board.store.get(PENDING_IDENTITY));
    t.falsy(board.store.get(IDENTITY));
    const id = await approve(board);
    t.is(getRecord<{ id: string }>(board.store, IDENTITY)!.id, id);
    t.falsy(board.store.get(PENDING_IDENTITY));
    t.true(await isComplete(id, 12));
    const [row] = await get<Row[]>("/api/devices");
    t.is(row!.ssid, network.ssid);
    t.is(row!.version, "1.0.0");
    const pins = await poll<{ pin: string; reported?: { value: string } }[]>(
      `/api/devices/${id}/pins`,
      (all) => all.some(({ pin }) => pin === "V102"),
    );
    const start = JSON.parse(pins.find(({ pin }) => pin === "V102")!.reported!.value) as { cause: string };
    t.is(start.cause, "power-on");
  },
);

test.serial(
  "a restart in the middle: the identity stays, no second join, readings neither lost nor doubled",
  async (t) => {
    const { id, defaults } = await registered();
    let board = new FirmwareBoard({ defaults, app: sampling });
    await board.waitFor(/bound reply/);
    for (let run = 2; run <= 4; run += 1) {
      board = board.reset("external");
      await board.waitFor(/bound reply/);
      t.notRegex(board.said, /join: code/);
    }
    const boots = await poll<{ boot: number }[]>(`/api/devices/${id}/boots`, (all) => all.length === 4);
    t.deepEqual(
      boots.map(({ boot }) => boot),
      [4, 3, 2, 1],
    );
    const readings = await poll<{ boot: number; key: number }[]>(
      `/api/devices/${id}/readings?limit=1000`,
      (all) => all.filter(({ boot }) => boot === 4).length > 5,
    );
    const ids = readings.map(({ boot, key }) => `${boot}.${key}`);
    t.is(new Set(ids).size, ids.length);
  },
);

test.serial("a device whose store was lost is back after one more round trip", async (t) => {
  const { id, defaults } = await registered();
  let board = new FirmwareBoard({ defaults, app: sampling });
  for (let i = 0; i < 3; i += 1) {
    await board.waitFor(/bound reply/);
    board = board.reset("external");
  }
  await board.waitFor(/bound reply/);
  board.end("power-cut");
  for (let sector = 0; sector < 16; sector += 1) board.flash.erase(0x3d0000 + sector * 4096);
  const again = board.reset("power-on");
  await again.waitFor(/stale: going on as boot 5/);
  await again.waitFor(/bound reply/);
  t.is(getCount(again.store, BOOT_NUMBER), 5);
  const rows = await poll<{ boot: number; value: number }[]>(
    `/api/devices/${id}/readings?limit=1000`,
    (all) => all.filter(({ boot }) => boot === 5).length > 3,
  );
  t.is(rows.filter(({ boot }) => boot === 5).at(-1)!.value, 1, "its first reading came through as well");
});

test.serial("a denied device says so, forgets that join and does not ask again soon", async (t) => {
  const board = new FirmwareBoard({ defaults: await values() });
  const [, code] = await board.waitFor(/code=(\d{6}) state=pending/);
  const [row] = await poll<Row[]>("/api/devices?state=pending", (all) => all.length > 0);
  await server.admin("POST", `/api/devices/${row!.deviceid}/deny`, {});
  await board.waitFor(new RegExp(`code=${code} state=denied`));
  t.falsy(board.store.get(PENDING_IDENTITY));
  t.is((await get<Row[]>("/api/devices?state=pending")).length, 0);
});

test.serial(
  "a blocked device keeps its identity whatever it is answered, and is back when it is let in",
  async (t) => {
    const { id, defaults } = await registered();
    const board = new FirmwareBoard({ defaults });
    await board.waitFor(/bound reply/);
    const before = board.store.get(IDENTITY);
    await server.admin("POST", `/api/devices/${id}/block`, {});
    const second = board.reset("external", { app: sampling });
    await second.waitFor(/(failed: server-rejected \(401\)[^]*){3}/);
    t.deepEqual(second.store.get(IDENTITY), before);
    t.is(second.ending, undefined);
    t.notRegex(second.said, /join: code/);
  },
);

test.serial("pins reach the app once, and what it shows reaches the server", async (t) => {
  const { id, defaults } = await registered();
  const seen: unknown[] = [];
  const app = ({ pins }: AppApi) => {
    pins.on(1, (value) => {
      seen.push(value);
      pins.write(2, `got ${String(value)}`);
      if (value === "bad") throw new Error("the app's own fault");
    });
  };
  const board = new FirmwareBoard({ defaults, app });
  await board.waitFor(/bound reply/);
  const token = (
    (await server.admin("POST", `/api/devices/${id}/tokens`, { scopes: ["read", "pins"] })).body as {
      token: string;
    }
  ).token;
  const update = new URL(`/external/api/update?token=${token}&v1=`, server.server.deviceUrl);
  update.hash = "";
  await fetch(`${update}bad`);
  await board.waitFor(/E \(\d+\) pins: V1: Error: the app's own fault/);
  await fetch(`${update}7`);
  await board.until("the pin", () => seen.length === 2 || undefined);
  t.deepEqual(seen.map(String), ["bad", "7"]);
  await poll<{ pin: string; reported?: { value: string } }[]>(`/api/devices/${id}/pins`, (all) =>
    all.some(({ pin, reported }) => pin === "V2" && reported?.value === "got 7"),
  );
  const again = board.reset("external");
  await again.waitFor(/bound reply/);
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.is(seen.length, 2, "not again after a restart");
});

test.serial(
  "configuration arrives, is kept over a restart, and lies above the defaults' x. values",
  async (t) => {
    const { id, defaults } = await registered();
    const read: unknown[] = [];
    const app = ({ config }: AppApi) => void read.push(config.get("period"), config.get("absent"));
    const board = new FirmwareBoard({ defaults: { ...defaults, "x.period": 5 }, app });
    await board.waitFor(/bound reply/);
    t.deepEqual(read.splice(0), [5, undefined]);
    await server.admin("PUT", `/api/devices/${id}/config`, { period: 9 });
    await board.waitFor(/config: serial number 1/);
    const again = board.reset("external");
    await again.waitFor(/bound reply/);
    t.deepEqual(read, [9, undefined]);
  },
);

test.serial(
  "another server in a new defaults block: the old identity stays until the new owner approves",
  async (t) => {
    const { defaults } = await registered();
    const board = new FirmwareBoard({ defaults });
    await board.waitFor(/bound reply/);
    const old = board.store.get(IDENTITY);
    const elsewhere = await startTestServer();
    t.teardown(() => elsewhere.close());
    const { body } = await elsewhere.admin("POST", "/api/join-keys", { label: "test" });
    const moved = board.reset("external", {
      defaults: {
        "wifi.ssid": network.ssid,
        "wifi.password": network.password,
        "server.url": elsewhere.server.deviceUrl,
        "join.key": (body as { key: string }).key,
      },
    });
    const [, code] = await moved.waitFor(/code=(\d{6}) state=pending/);
    t.deepEqual(moved.store.get(IDENTITY), old);
    const pending = moved.reset("power-on");
    await pending.waitFor(/result=online/);
    let rows: Row[] = [];
    for (let i = 0; i < 200 && rows.length === 0; i += 1) {
      rows = (await elsewhere.admin("GET", "/api/devices?state=pending")).body as Row[];
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    t.is(rows[0]!.code, code, "the join goes on after a restart");
    await elsewhere.admin("POST", `/api/devices/${rows[0]!.deviceid}/approve`, { code });
    await pending.waitFor(/state=approved/);
    t.is(getRecord<{ id: string }>(pending.store, IDENTITY)!.id, rows[0]!.deviceid);
  },
);

/** Another server, and what a person types to name it. */
async function otherServer(): Promise<{ other: TestServer; url: string; key: string }> {
  const other = await startTestServer();
  const { body } = await other.admin("POST", "/api/join-keys", { label: "test" });
  return { other, url: other.server.deviceUrl, key: (body as { key: string }).key };
}

test.serial(
  "while the owner's approval is awaited Enter names another server, after a restart too",
  async (t) => {
    const { other, url, key } = await otherServer();
    t.teardown(() => other.close());
    const first = new FirmwareBoard({ defaults: await values() });
    const [, code] = await first.waitFor(/code=(\d{6}) state=pending/);
    const board = first.reset("external", { defaults: {} });
    await board.waitFor(new RegExp(`code=${code} state=pending[^]*Enter names another server`));
    board.type("\r");
    await board.waitFor(/Server, as [^\n]*: $/);
    board.type(`${url}\r`);
    await board.waitFor(/Join key[^\n]*: $/);
    const mark = board.said.length;
    board.type(`${key}\r`);
    const [, fresh] = await board.waitFor(/code=(\d{6}) state=pending/, mark);
    let rows: Row[] = [];
    await board.until("the other server's row", () => {
      void other.admin("GET", "/api/devices?state=pending").then(({ body }) => (rows = body as Row[]));
      return rows.length > 0 || undefined;
    });
    t.is(rows[0]!.code, fresh);
    await other.admin("POST", `/api/devices/${rows[0]!.deviceid}/approve`, { code: fresh });
    await board.waitFor(/state=approved/, mark);
    t.is(getRecord<{ url: string }>(board.store, IDENTITY)!.url, url);
    board.type("\r\r");
    await board.waitFor(/sync: bound reply/, mark);
    t.notRegex(board.said.slice(mark), /Server, as/, "once it is approved nobody is asked any more");
  },
);

test.serial("Enter is heard while a server that says nothing is being asked", async (t) => {
  const silent = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.teardown(() => silent.close());
  const { port } = silent.address() as { port: number };
  const asked = once(silent, "connection");
  const board = new FirmwareBoard({
    defaults: await values({ "server.url": `http://127.0.0.1:${port}/#AAAAAAAAAAAAAAAAAAAAAA` }),
  });
  await asked;
  board.type("\r");
  await board.waitFor(/Server, as [^\n]*: $/);
  t.notRegex(board.said, /state=failed/);
  board.type(`${server.server.deviceUrl}\r`);
  await board.waitFor(/Join key[^\n]*: $/);
  const mark = board.said.length;
  board.type(`${(await values())["join.key"]}\r`);
  await board.waitFor(/state=pending/, mark);
  t.notRegex(board.said, /state=failed/, "it was broken off, and did not fail");
});

test.serial("whoever leaves that question, or is noise, does not keep the approval away", async (t) => {
  const board = new FirmwareBoard({ defaults: await values() });
  await board.waitFor(/Enter names another server/);
  const noise = setInterval(() => board.type("\r"), 20);
  t.teardown(() => clearInterval(noise));
  await board.waitFor(/Server, as[^\n]*: \n/);
  const id = await approve(board);
  t.is(getRecord<{ id: string }>(board.store, IDENTITY)!.id, id);
});

test.serial("without a pin the person at the device compares, and only then the pin is kept", async (t) => {
  const url = server.server.deviceUrl.split("#")[0]!;
  const board = new FirmwareBoard({ defaults: await values({ "server.url": url }) });
  const [, code] = await board.waitFor(/code=(\d{6}) state=pending/);
  await board.waitFor(new RegExp(`show ${code}\\? \\(y/n\\): $`));
  board.type("y\n");
  await board.waitFor(/Now approve it on that page\./);
  const id = await approve(board);
  const record = getRecord<{ id: string; url: string }>(board.store, IDENTITY)!;
  t.is(record.id, id);
  t.is(record.url, server.server.deviceUrl);
});

test.serial("without a pin, a person who sees another code keeps the device out", async (t) => {
  const url = server.server.deviceUrl.split("#")[0]!;
  const board = new FirmwareBoard({ defaults: await values({ "server.url": url }) });
  await board.waitFor(/\(y\/n\): $/);
  board.type("n\n");
  await board.until("the record's end", () => board.store.get(PENDING_IDENTITY) === undefined || undefined);
  t.falsy(board.store.get(IDENTITY));
});

test.serial(
  "why an attempt to join a network failed is the same on the UART and at the server",
  async (t) => {
    const { id, defaults } = await registered();
    const board = new FirmwareBoard({ defaults });
    await board.waitFor(/sync: bound reply/);
    const payload = [4, ...Buffer.from("Nowt"), 0];
    board.send(encodeFrame(FrameType.rpc, Uint8Array.of(1, payload.length, ...payload)));
    const [, reason] = await board.waitFor(/chain: step=improv result=(.+) ms=/);
    t.is(reason, "not-found (201)");
    const row = await poll<object>(`/api/devices/${id}`, (device) =>
      JSON.stringify(device).includes("failure"),
    );
    t.true(JSON.stringify(row).replaceAll("\\", "").includes(`"failure":"${reason}"`), JSON.stringify(row));
  },
);
