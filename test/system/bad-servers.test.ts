// Servers that are away, broken, slow or false: the device waits, says why, and is back as soon as the right one answers.

import test from "ava";
import { createServer, connect, type Server as TcpServer, type Socket } from "node:net";
import { Rig, world, type Server } from "./rig.js";
import type { UartLog } from "../../tools/demo/uart-log.js";

const rig = new Rig();
const fast = { ...world, clock: "fast" };
let built: string;

test.before(async () => {
  built = await rig.build("1.0.0");
});
test.afterEach.always(() => rig.stop());
test.after.always(() => rig.end());

/** A server that was started once, so that its pin is known, and is away now. */
async function away(name: string): Promise<Server & { port: string }> {
  const server = await rig.serve(name);
  await server.service.end();
  return { ...server, port: new URL(server.deviceUrl).port };
}

/** A board of that name with a fast clock, running with these values. */
async function start(name: string, values: Record<string, unknown>): Promise<UartLog> {
  const app = await rig.patch(built, values);
  const flasher = await rig.board(name, ["--download"]);
  await rig.flash(flasher, built, app);
  await flasher.end();
  const log = rig.follow(`${name}.uart`);
  await rig.board(name, ["--log", rig.path(`${name}.uart`)], fast);
  await log.waitFor(/result=online/, 60_000);
  return log;
}

/** Something that is not our server, on that port. */
async function listen(
  port: string,
  onConnection: (socket: Socket) => void,
): Promise<TcpServer & { count(): number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(Number(port), "127.0.0.1", resolve),
  );
  return Object.assign(server, { count: () => connections });
}

/** How much of the device's time passed in how much of ours: the clock is fast. */
function times(log: UartLog, started: number): string {
  const virtual = log.lines
    .map((line) => /^[EWIDV] \((\d+)\)/.exec(line)?.[1])
    .filter((ms) => ms !== undefined);
  return `virtual ${virtual.at(-1)} ms, wall ${Date.now() - started} ms`;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 90_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const broken: [string, (socket: Socket) => void][] = [
  ["garbage", (socket) => socket.end(Buffer.alloc(3000, 0xa5))],
  [
    "500",
    (socket) => socket.once("data", () => socket.end("HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops")),
  ],
  ["401", (socket) => socket.once("data", () => socket.end("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"))],
  [
    "a redirect",
    (socket) =>
      socket.once("data", () =>
        socket.end("HTTP/1.1 302 Go\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n"),
      ),
  ],
  [
    "a captive portal's page",
    (socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>")),
  ],
  [
    "an endless header",
    (socket) => socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}`)),
  ],
  ["a reset", (socket) => socket.once("data", () => socket.resetAndDestroy())],
];

for (const [index, [name, answer]] of broken.entries()) {
  test.serial(`a server that answers with ${name} causes waiting and nothing else`, async (t) => {
    const id = `broken${index}`;
    const started = Date.now();
    const real = await away(id);
    const bad = await listen(real.port, answer);
    const log = await start(id, rig.values(real));
    const mark = log.mark;
    await until("three attempts", () => bad.count() >= 3);
    bad.close();
    const service = await rig.serve(id, ["--port", real.port]);
    await rig.approve(service, log);
    const said = log.lines.slice(mark).join("\n");
    t.log(times(log, started));
    t.notRegex(said, /boot: slot|Guru/, "it did not restart");
  });
}

test.serial("a server that is away is found when it comes", async (t) => {
  const real = await away("down");
  const log = await start("down", rig.values(real));
  await log.waitFor(/server-unreachable/, 60_000);
  const service = await rig.serve("down", ["--port", real.port]);
  await rig.approve(service, log);
  t.notRegex(log.lines.slice(5).join("\n"), /Guru/);
});

test.serial("replies that come a byte at a time are replies", async (t) => {
  const server = await rig.serve("slow");
  const slow = createServer((device) => {
    const upstream = connect({ host: "127.0.0.1", port: Number(new URL(server.deviceUrl).port) });
    device.setNoDelay(true);
    device.pipe(upstream);
    upstream.on("data", (bytes: Buffer) => {
      for (const byte of bytes) device.write(Buffer.from([byte]));
    });
    for (const [one, other] of [
      [device, upstream],
      [upstream, device],
    ] as const)
      one.on("error", () => other.destroy()).on("close", () => other.end());
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const port = (slow.address() as { port: number }).port;
  const url = new URL(server.deviceUrl);
  const log = await start(
    "slow",
    rig.values(server, { "server.url": `http://127.0.0.1:${port}/${url.hash}` }),
  );
  const deviceid = await rig.approve(server, log);
  const names = await rig.readings(server, deviceid, (all) => all.length > 0);
  slow.close();
  t.true(names.length > 0);
  t.notRegex(log.lines.join("\n"), /sync: failed|bad-reply|unauthenticated/);
});

test.serial(
  "a server with another key than the pinned one is refused, and nobody sees the device",
  async (t) => {
    const server = await rig.serve("pinned");
    const url = new URL(server.deviceUrl);
    const log = await start(
      "pinned",
      rig.values(server, { "server.url": `http://${url.host}/#AAAAAAAAAAAAAAAAAAAAAA` }),
    );
    await log.waitFor(/wrong-server/, 60_000);
    t.deepEqual(await server.admin.get("/api/devices"), []);
  },
);

test.serial("a join key that is unknown or revoked is refused, with the reason on the UART", async (t) => {
  const server = await rig.serve("keys");
  const foreign = await start(
    "foreign",
    rig.values(server, { "join.key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
  );
  await foreign.waitFor(/server-rejected|join-rejected/, 60_000);
  const [key] = await server.admin.get<{ kid: string }[]>("/api/join-keys");
  await server.admin.call("DELETE", `/api/join-keys/${key!.kid}`);
  const revoked = await start("revoked", rig.values(server));
  await revoked.waitFor(/server-rejected|join-rejected/, 60_000);
  t.deepEqual(await server.admin.get("/api/devices"), []);
});
