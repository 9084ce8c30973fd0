// TCP of the board: windows, ends, and what becomes of sockets when the radio does not carry them.

import test from "ava";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Air } from "../../../tools/simulator/air.js";
import { Clock } from "../../../tools/simulator/clock.js";
import { EventQueue, type BusEvent } from "../../../tools/simulator/events.js";
import { Net } from "../../../tools/simulator/net.js";
import { Radio } from "../../../tools/simulator/radio.js";
import { checkWorld } from "../../../tools/simulator/world.js";

const world = { accessPoints: [{ ssid: "Broome", password: "cable-beach" }] };

interface Rig {
  air: Air;
  radio: Radio;
  net: Net;
  clock: Clock;
  heard: BusEvent[];
  until(wanted: (event: BusEvent) => boolean): Promise<BusEvent>;
  server: Server;
  port: number;
  peers: Socket[];
  close(): void;
}

async function rig(onPeer: (socket: Socket) => void = () => undefined): Promise<Rig> {
  const clock = new Clock({ mode: "real" });
  const air = new Air(checkWorld(world));
  const heard: BusEvent[] = [];
  const waiting = new Set<() => void>();
  const queue: EventQueue = new EventQueue(() =>
    queueMicrotask(() => {
      for (let event = queue.take(); event !== undefined; event = queue.take()) heard.push(event);
      for (const wake of waiting) wake();
    }),
  );
  const radio = new Radio({ air, clock, chance: () => 0.5, post: queue.post, hostNumber: 2 });
  const net = new Net({ radio, clock, post: queue.post, capture: undefined });
  radio.onReach = () => net.reachChanged();
  const peers: Socket[] = [];
  const server = createServer((socket) => {
    peers.push(socket);
    socket.on("error", () => undefined);
    onPeer(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const until = (wanted: (event: BusEvent) => boolean) =>
    new Promise<BusEvent>((resolve) => {
      const look = () => {
        const at = heard.findIndex(wanted);
        if (at < 0) return;
        waiting.delete(look);
        resolve(heard.splice(at, 1)[0]!);
      };
      waiting.add(look);
      look();
    });
  radio.join({ ssid: new Uint8Array(Buffer.from("Broome")), password: "cable-beach" });
  await until(([name]) => name === "station.address");
  const close = () => {
    net.reset();
    clock.close();
    for (const peer of peers) peer.destroy();
    server.close();
  };
  return {
    air,
    radio,
    net,
    clock,
    heard,
    until,
    server,
    port: (server.address() as AddressInfo).port,
    peers,
    close,
  };
}

const named = (name: string) => (event: BusEvent) => event[0] === name;

test("bytes go there and back, and an orderly end leaves what has arrived readable", async (t) => {
  const r = await rig((socket) => socket.on("data", (bytes) => socket.end(bytes)));
  const handle = r.net.connect("127.0.0.1", r.port);
  const [, , granted] = await r.until(named("tcp.writable"));
  t.is(granted, 5744);
  r.net.write(handle, new Uint8Array(Buffer.from("hello")));
  await r.until(named("tcp.readable"));
  t.deepEqual(await r.until(named("tcp.error")), ["tcp.error", handle, "closed"]);
  t.is(Buffer.from(r.net.read(handle, 3) as Uint8Array).toString(), "hel");
  t.is(Buffer.from(r.net.read(handle, 100) as Uint8Array).toString(), "lo");
  t.is(r.net.read(handle, 100), undefined);
  r.net.close(handle);
  r.net.close(handle);
  t.throws(() => r.net.read(handle, 1), { code: "closed" });
  r.close();
});

test("a program that reads slowly holds the sender back, and gets every byte", async (t) => {
  const sent = Buffer.alloc(200_000, "0123456789abcdef");
  const r = await rig((socket) => socket.end(sent));
  const handle = r.net.connect("127.0.0.1", r.port);
  const got: Buffer[] = [];
  for (let total = 0; total < sent.length;) {
    const [, , available] = await r.until(named("tcp.readable"));
    t.true((available as number) <= 5744);
    for (let part = r.net.read(handle, 1000); part !== undefined; part = r.net.read(handle, 1000)) {
      got.push(Buffer.from(part as Uint8Array));
      total += (part as Uint8Array).length;
    }
  }
  t.true(Buffer.concat(got).equals(sent));
  r.close();
});

test("more than was granted cannot be written", async (t) => {
  const r = await rig();
  const handle = r.net.connect("127.0.0.1", r.port);
  t.throws(() => r.net.write(handle, new Uint8Array(1)), { code: "output-full" });
  await r.until(named("tcp.writable"));
  t.throws(() => r.net.write(handle, new Uint8Array(5745)), { code: "output-full" });
  r.net.write(handle, new Uint8Array(5744));
  t.throws(() => r.net.write(handle, new Uint8Array(1)), { code: "output-full" });
  r.close();
});

test("a port where nobody listens is an error", async (t) => {
  const r = await rig();
  r.server.close();
  const handle = r.net.connect("127.0.0.1", r.port);
  t.deepEqual(await r.until(named("tcp.error")), ["tcp.error", handle, "error"]);
  r.close();
});

test("without an address there is no network", async (t) => {
  const r = await rig();
  r.radio.leave();
  const handle = r.net.connect("127.0.0.1", r.port);
  t.deepEqual(await r.until(named("tcp.error")), ["tcp.error", handle, "error"]);
  t.is(r.peers.length, 0);
  r.close();
});

test("sockets die with the association, and the other side sees it", async (t) => {
  const r = await rig();
  const handle = r.net.connect("127.0.0.1", r.port);
  await r.until(named("tcp.writable"));
  const gone = new Promise<void>((done) => r.peers[0]!.once("close", () => done()));
  r.radio.leave();
  t.deepEqual(await r.until(named("tcp.error")), ["tcp.error", handle, "error"]);
  await gone;
  r.close();
});

test("a router that loses every packet keeps a connection waiting, until it does not", async (t) => {
  const r = await rig();
  r.air.setFailure("Broome", "unreachable");
  r.net.connect("127.0.0.1", r.port);
  await new Promise((done) => setTimeout(done, 50));
  t.is(r.peers.length, 0);
  t.false(r.heard.some(([name]) => name.startsWith("tcp.")));
  r.air.setFailure("Broome", undefined);
  await r.until(named("tcp.writable"));
  t.is(r.peers.length, 1);
  r.close();
});

test("an address is four numbers: names are for the resolver", async (t) => {
  const r = await rig();
  for (const address of ["localhost", "::1", "127.1", "127.0.0.1 "])
    t.throws(() => r.net.connect(address, r.port), { code: "bad-argument" }, address);
  r.close();
});

test("there are eight sockets", async (t) => {
  const r = await rig();
  for (let i = 0; i < 8; i += 1) r.net.connect("127.0.0.1", r.port);
  t.throws(() => r.net.connect("127.0.0.1", r.port), { code: "too-many" });
  r.close();
});
