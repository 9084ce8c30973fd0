// The contract of a serial port, over every way to a virtual board; and what the network ports do with other servers.

import test, { type ExecutionContext } from "ava";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { openPort } from "../../../tools/serial/open.js";
import { openPorts, type Ports } from "../../../tools/simulator/ports.js";
import { code, serialPortContract, until, type FarEnd, type Subject } from "../../contract/serial-port.js";

async function farEnd(t: ExecutionContext): Promise<FarEnd & { ports: Ports }> {
  const ports = await openPorts();
  t.teardown(() => ports.close());
  const received: Uint8Array[] = [];
  const lines: { dtr: boolean; rts: boolean }[] = [];
  ports.uart.onFromHost((bytes) => received.push(bytes));
  ports.uart.onLines((state) => lines.push({ ...state }));
  return {
    ports,
    send: (bytes) => ports.uart.toHost(bytes),
    received: () => new Uint8Array(Buffer.concat(received)),
    lines: () => lines,
    baudRate: () => ports.uart.baudRate,
    vanish: () => void ports.close(),
  };
}

for (const kind of ["rfc2217", "tcp"] as const) {
  serialPortContract(test, kind, async (t): Promise<Subject> => {
    const far = await farEnd(t);
    const open = () => openPort(far.ports[kind], { baudRate: 115200 });
    const port = await open();
    t.teardown(() => port.close());
    return { port, far, openAgain: open };
  });
}

test("one client over all ports: a tcp client keeps an rfc2217 client out until it leaves", async (t) => {
  const { ports } = await farEnd(t);
  const first = await openPort(ports.tcp, { baudRate: 115200 });
  t.is(code(await t.throwsAsync(openPort(ports.rfc2217, { baudRate: 115200 }))), "port-busy");
  await first.close();
  await until(() => !ports.uart.connected);
  const second = await openPort(ports.rfc2217, { baudRate: 115200 });
  t.true(ports.uart.connected);
  await second.close();
  await until(() => !ports.uart.connected);
});

test("lines are released when their client goes, in one step that resets nothing", async (t) => {
  const far = await farEnd(t);
  const port = await openPort(far.ports.rfc2217, { baudRate: 115200 });
  await port.setLines({ dtr: true, rts: true });
  await port.close();
  await until(() => !far.ports.uart.connected);
  t.deepEqual(far.lines().slice(-2), [
    { dtr: true, rts: true },
    { dtr: false, rts: false },
  ]);
});

test("a client at another rate than the board's reads garbage, and the board from it", async (t) => {
  const far = await farEnd(t);
  far.ports.uart.setBoardRate(460800);
  const port = await openPort(far.ports.rfc2217, { baudRate: 115200 });
  t.teardown(() => port.close());
  const heard: number[] = [];
  port.listen((bytes) => heard.push(...bytes));
  far.send(Buffer.from("hello"));
  await port.write(Buffer.from("hello"));
  await until(() => heard.length >= 5 && far.received().length >= 5);
  t.not(Buffer.from(heard).toString(), "hello");
  t.not(Buffer.from(far.received()).toString(), "hello");
  await port.setBaudRate(460800);
  heard.length = 0;
  far.send(Buffer.from("hello"));
  await until(() => heard.length >= 5);
  t.is(Buffer.from(heard).toString(), "hello");
});

for (const [name, why] of [
  ["rfc2217://127.0.0.1:1", "nobody listens there"],
  ["socket://127.0.0.1:1", "nobody listens there"],
  ["socket://127.0.0.1", "expected scheme"],
  ["ftp://127.0.0.1:21", "not a kind of port"],
  ["/dev/ttyBroomeIsNotHere", "no such port"],
] as const) {
  test(`${name} is not found: ${why}`, async (t) => {
    const error = await t.throwsAsync(openPort(name, { baudRate: 115200 }));
    t.is(code(error), "port-not-found");
    t.true(error!.message.includes(why), error!.message);
  });
}

for (const [name, answer] of [
  ["hangs up at once", (socket: Socket) => void socket.end()],
  ["says no to the option", (socket: Socket) => void socket.write(Uint8Array.of(255, 254, 44))],
] as const) {
  test(`a server that ${name} is no RFC 2217 server`, async (t) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const error = await t.throwsAsync(openPort(`rfc2217://127.0.0.1:${port}`, { baudRate: 115200 }));
    t.true(["no-answer", "port-lost"].includes(code(error)!), String(error));
  });
}
