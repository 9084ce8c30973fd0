// What every SerialPort must do, whatever it runs over (tools/serial/port.ts): one suite for all of them.

import type { ExecutionContext, TestFn } from "ava";
import type { SerialPort } from "../../tools/serial/port.js";

/** The board at the other end of the port under test. */
export interface FarEnd {
  send(bytes: Uint8Array): void;
  /** All bytes that arrived so far. */
  received(): Uint8Array;
  /** Changes of the modem lines since the port was opened. */
  lines(): { dtr: boolean; rts: boolean }[];
  baudRate(): number;
  /** Pulls the plug. */
  vanish(): void;
}

export interface Subject {
  port: SerialPort;
  far: FarEnd;
  /** A second client of the same port. */
  openAgain(): Promise<SerialPort>;
}

const everyByte = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff);

export function serialPortContract(
  test: TestFn,
  name: string,
  open: (t: ExecutionContext) => Promise<Subject>,
): void {
  test(`${name}: every byte value arrives, both ways, in order`, async (t) => {
    const { port, far } = await open(t);
    const heard = listenTo(port);
    await port.write(everyByte);
    far.send(everyByte);
    await until(() => far.received().length >= 512 && heard().length >= 512);
    t.deepEqual(far.received(), everyByte);
    t.deepEqual(heard(), everyByte);
  });

  test(`${name}: large writes arrive whole`, async (t) => {
    const { port, far } = await open(t);
    const big = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) & 0xff);
    for (let at = 0; at < big.length; at += 10_000) await port.write(big.subarray(at, at + 10_000));
    await until(() => far.received().length >= big.length);
    t.deepEqual(far.received(), big);
  });

  for (const how of ["is closed", "goes away"])
    test(`${name}: what waits when the port ${how} ends`, async (t) => {
      const { port, far } = await open(t);
      const writes = Array.from({ length: 20 }, () => port.write(everyByte));
      const ends = writes.map((write) => write.then(() => "written", code));
      if (how === "is closed") await port.close();
      else far.vanish();
      for (const one of ends) {
        const end = await Promise.race([one, pause(20_000).then(() => "it waits for ever")]);
        t.true(["written", "port-closed", "port-lost"].includes(end!), end);
      }
    });

  test(`${name}: bytes wait for a listener, and again after it was taken away`, async (t) => {
    const { port, far } = await open(t);
    far.send(Uint8Array.of(1, 2));
    await pause(60);
    const heard = listenTo(port);
    await until(() => heard().length >= 2);
    t.deepEqual(heard(), Uint8Array.of(1, 2));
    port.listen(undefined);
    far.send(Uint8Array.of(3));
    await pause(60);
    t.deepEqual(heard(), Uint8Array.of(1, 2));
    const later = listenTo(port);
    await until(() => later().length >= 1);
    t.deepEqual(later(), Uint8Array.of(3));
  });

  test(`${name}: more than 64 KiB that nobody reads close the port with an error`, async (t) => {
    const { port, far } = await open(t);
    const losses: Error[] = [];
    port.onLost((error) => losses.push(error));
    for (let i = 0; i < 40 && losses.length === 0; i += 1) {
      far.send(new Uint8Array(4096));
      await pause(10);
    }
    await until(() => losses.length > 0);
    t.is(code(losses[0]), "port-lost");
    t.is(code(await t.throwsAsync(port.write(Uint8Array.of(1)))), "port-lost");
  });

  test(`${name}: the lines reach the board, or the port says that it has none`, async (t) => {
    const { port, far } = await open(t);
    if (!port.hasLines) {
      t.is(code(await t.throwsAsync(port.setLines({ dtr: true }))), "no-modem-lines");
      return;
    }
    await port.setLines({ dtr: false, rts: true });
    await port.setLines({ dtr: true });
    await port.setLines({ rts: false });
    await until(() => far.lines().length >= 4);
    t.deepEqual(far.lines().slice(-3), [
      { dtr: false, rts: true },
      { dtr: true, rts: true },
      { dtr: true, rts: false },
    ]);
  });

  test(`${name}: the baud rate reaches the board, or the port says that it cannot`, async (t) => {
    const { port, far } = await open(t);
    t.is(port.baudRate, 115200);
    if (!port.hasBaudRate) {
      t.is(code(await t.throwsAsync(port.setBaudRate(460800))), "baud-rate-fixed");
      t.is(port.baudRate, 115200);
      return;
    }
    await port.setBaudRate(460800);
    t.is(port.baudRate, 460800);
    await until(() => far.baudRate() === 460800);
    t.is(far.baudRate(), 460800);
  });

  test(`${name}: close can be called twice, and use after it throws`, async (t) => {
    const { port } = await open(t);
    let lost = 0;
    port.onLost(() => (lost += 1));
    await port.close();
    await port.close();
    t.is(code(await t.throwsAsync(port.write(Uint8Array.of(1)))), "port-closed");
    t.is(code(await t.throwsAsync(port.setLines({ dtr: true }))), "port-closed");
    t.is(code(await t.throwsAsync(port.setBaudRate(9600))), "port-closed");
    t.is(code(t.throws(() => port.listen(() => undefined))), "port-closed");
    await pause(20);
    t.is(lost, 0, "a close is no loss");
  });

  test(`${name}: a port that goes away says so once`, async (t) => {
    const { port, far } = await open(t);
    const losses: Error[] = [];
    port.onLost((error) => losses.push(error));
    far.vanish();
    await until(() => losses.length > 0);
    await pause(30);
    t.is(losses.length, 1);
    t.is(code(losses[0]), "port-lost");
    t.is(code(await t.throwsAsync(port.write(Uint8Array.of(1)))), "port-lost");
    await port.close();
  });

  test(`${name}: a second client is refused, and the first goes on`, async (t) => {
    const { port, far, openAgain } = await open(t);
    t.is(code(await t.throwsAsync(openAgain())), "port-busy");
    await port.write(Uint8Array.of(42));
    await until(() => far.received().includes(42));
    t.deepEqual(far.received(), Uint8Array.of(42));
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits for something that another process or the network will do. */
export async function until(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition() && Date.now() < end) await pause(5);
}

export function code(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}

function listenTo(port: SerialPort): () => Uint8Array {
  const chunks: Uint8Array[] = [];
  port.listen((bytes) => chunks.push(bytes));
  return () => new Uint8Array(Buffer.concat(chunks));
}
