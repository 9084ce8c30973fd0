// The UART's receive side: nothing is lost where the host can be held back, and a real FIFO overflows.

import test from "ava";
import { Clock } from "../../../tools/simulator/clock.js";
import { Console, FIFO_SIZE } from "../../../tools/simulator/console.js";
import { EventQueue } from "../../../tools/simulator/events.js";
import { pass } from "../../support/stepped.js";

function rig(paced: boolean) {
  const clock = new Clock({ mode: "stepped" });
  const queue = new EventQueue(() => undefined);
  const uart = new Console({ clock, post: queue.post, toHost: () => undefined, paced });
  const read = () => {
    const event = queue.take();
    return event === undefined ? undefined : Buffer.from(event[1] as Uint8Array).toString("latin1");
  };
  return { clock, uart, read, pass: (ms: number) => pass(clock, ms) };
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

test("without pacing, 1,000 bytes wait for the program and come 128 at a time", (t) => {
  const { clock, uart, read } = rig(false);
  const sent = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(32 + (i % 90))).join("");
  uart.receive(bytes(sent.slice(0, 10)));
  uart.receive(bytes(sent.slice(10)));
  let got = "";
  for (let part = read(); part !== undefined; part = read()) {
    t.true(part.length <= FIFO_SIZE);
    got += part;
  }
  t.is(got, sent);
  t.is(uart.overruns, 0);
  clock.close();
});

test("a program that never reads does not fill the host's memory", (t) => {
  const { clock, uart } = rig(false);
  for (let i = 0; i < 20; i += 1) uart.receive(new Uint8Array(8192));
  t.true(uart.overruns >= 20 * 8192 - 64 * 1024 - FIFO_SIZE);
  clock.close();
});

test("paced at 1200 baud, 128 bytes take 1.07 s, and what comes while the FIFO is full is lost", (t) => {
  const { clock, uart, read, pass } = rig(true);
  uart.baudRate = 1200;
  uart.receive(bytes("x".repeat(300)));
  t.is(read(), undefined);
  pass(700);
  t.is(read()?.length, 64); // 32 at a time
  pass(3000);
  t.is(read()!.length, FIFO_SIZE);
  t.is(read(), undefined);
  t.is(uart.overruns, 300 - 64 - FIFO_SIZE);
  clock.close();
});

test("paced, a program that reads in time gets everything", (t) => {
  const { clock, uart, read, pass } = rig(true);
  uart.baudRate = 1200;
  uart.receive(bytes("y".repeat(300)));
  let got = 0;
  for (let i = 0; i < 10; i += 1) {
    pass(300);
    got += read()?.length ?? 0;
  }
  t.is(got, 300);
  t.is(uart.overruns, 0);
  clock.close();
});

test("a reset forgets what was not read", (t) => {
  const { clock, uart, read, pass } = rig(true);
  uart.receive(bytes("z".repeat(300)));
  uart.reset();
  pass(100);
  t.is(read(), undefined);
  clock.close();
});
