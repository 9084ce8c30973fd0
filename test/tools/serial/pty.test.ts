// The contract of a serial port over a real tty of this computer: the virtual board's pty, opened with serialport.

import test, { type ExecutionContext } from "ava";
import { openPort } from "../../../tools/serial/open.js";
import { openPorts, type Ports } from "../../../tools/simulator/ports.js";
import {
  code,
  pause,
  serialPortContract,
  until,
  type FarEnd,
  type Subject,
} from "../../contract/serial-port.js";
import { absentHelper, ptyHelper } from "./pty-helper.js";

async function farEnd(t: ExecutionContext): Promise<FarEnd & { ports: Ports; rates: number[] }> {
  const ports = await openPorts({ ptyHelper });
  t.teardown(() => ports.close());
  const received: Uint8Array[] = [];
  const rates: number[] = [];
  ports.uart.onFromHost((bytes) => received.push(bytes));
  ports.uart.onBaudRate((baud) => rates.push(baud));
  return {
    ports,
    rates,
    send: (bytes) => ports.uart.toHost(bytes),
    received: () => new Uint8Array(Buffer.concat(received)),
    lines: () => [],
    baudRate: () => ports.uart.baudRate,
    vanish: () => void ports.close(),
  };
}

const open = (name: string, baudRate = 115200) => openPort(name, { baudRate });

serialPortContract(test, "pty", async (t): Promise<Subject> => {
  const far = await farEnd(t);
  const port = await open(far.ports.pty!);
  t.teardown(() => port.close());
  await until(() => far.ports.uart.connected);
  return { port, far, openAgain: () => open(far.ports.pty!) };
});

test("opening a pty at 1200 baud is seen by the board, which has no reset line there", async (t) => {
  const far = await farEnd(t);
  const port = await open(far.ports.pty!, 1200);
  await until(() => far.rates.includes(1200));
  t.true(far.rates.includes(1200));
  t.false(port.hasLines);
  await port.close();
  await until(() => !far.ports.uart.connected);
  t.false(far.ports.uart.connected);
});

test("a pty opened while another client has the line is told so, and gets it when that client leaves", async (t) => {
  const far = await farEnd(t);
  const first = await open(far.ports.rfc2217);
  const second = await open(far.ports.pty!);
  t.teardown(() => second.close());
  let heard = "";
  second.listen((bytes) => (heard += Buffer.from(bytes).toString()));
  await until(() => heard.includes("port-busy"));
  t.regex(heard, /port-busy: another client/);
  await second.write(Uint8Array.of(1));
  await pause(50);
  t.is(far.received().length, 0);
  await first.close();
  await until(() => far.ports.uart.connected);
  await pause(10);
  await second.write(Uint8Array.of(2));
  await until(() => far.received().length > 0);
  t.deepEqual(far.received(), Uint8Array.of(2));
});

test("a helper that is not there is an error, and the other ports are closed again", async (t) => {
  t.is(code(await t.throwsAsync(openPorts({ ptyHelper: absentHelper }))), "pty-failed");
});
