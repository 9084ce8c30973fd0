// What flashing must do over every way to a board: write, leave what is right, and complete what was cut off at any message.

import type { ExecutionContext } from "ava";
import { randomBytes } from "node:crypto";
import { allChips } from "../../tools/chips/registry.js";
import { flash, type FlashResult } from "../../tools/esptool/flasher.js";
import { Loader } from "../../tools/esptool/loader.js";
import { codecs, stubFor } from "../../tools/node-flasher.js";
import { openPort } from "../../tools/serial/open.js";
import type { SerialPort } from "../../tools/serial/port.js";
import { Rig } from "../tools/esptool/rig.js";
import { code, until } from "./serial-port.js";

/** A board, and the port under test to it. */
export interface Way {
  readonly rig: Rig;
  readonly name: string;
}

const OFFSET = 0x10000;

export function flashingContract(
  test: (title: string, run: (t: ExecutionContext) => Promise<void>) => void,
  name: string,
  open: (t: ExecutionContext) => Promise<Way>,
): void {
  for (const withStub of [true, false]) {
    const how = withStub ? "with the stub" : "ROM only";
    test(`${name}, ${how}: written, verified, then only what changed`, async (t) => {
      const way = await open(t);
      const data = sample(100_000);
      const first = await write(way, data, { withStub });
      t.true(first.verified);
      t.is(first.stub, withStub);
      holds(t, way, data);
      data[50_000]! ^= 0xff;
      const second = await write(way, data, { withStub });
      t.is(second.bytesWritten, 4096);
      holds(t, way, data);
      t.is((await write(way, data, { withStub })).bytesWritten, 0);
    });
  }

  for (const [how, withStub, size] of [
    ["ROM only", false, 12_000],
    ["with the stub", true, 110_000], // so much that it is loaded
  ] as const) {
    test(`${name}, ${how}: a port closed at any message leaves a board that the next flash completes`, async (t) => {
      const way = await open(t);
      const { flash } = way.rig;
      const data = sample(size);
      let cuts = 0;
      for (let at = 1; ; at += 1) {
        for (let offset = OFFSET; offset < OFFSET + size; offset += 4096) flash.erase(offset);
        flash.program(OFFSET + 4096, Uint8Array.of(0));
        const error = await cut(way, data, at, withStub);
        if (!error) break;
        cuts += 1;
        t.is(code(error), "port-closed", `message ${at}`);
        const next = await write(way, data, { withStub });
        t.true(next.verified, `after message ${at}`);
        holds(t, way, data);
      }
      t.true(cuts > 20, `${cuts} messages`);
      t.log(`cut at each of ${cuts} messages`);
    });
  }
}

interface WriteOptions {
  withStub: boolean;
  wrap?: (port: SerialPort) => SerialPort;
}

async function write({ rig, name }: Way, data: Uint8Array, options: WriteOptions): Promise<FlashResult> {
  const port = await openPort(name, { baudRate: 115_200 });
  const loader = new Loader({ port: options.wrap?.(port) ?? port, chips: allChips() });
  try {
    const regions = [{ offset: OFFSET, data, name: "app.bin" }];
    const { withStub } = options;
    return await flash(loader, { regions, codecs, baudRate: 460_800, ...(withStub && { stub: stubFor }) });
  } finally {
    loader.close();
    await port.close();
    await until(() => !rig.ports.uart.connected);
  }
}

/** Flashes with a port that is closed instead of sending message number `at`; undefined when there were fewer. */
async function cut(way: Way, data: Uint8Array, at: number, withStub: boolean): Promise<unknown> {
  let sent = 0;
  const wrap = (port: SerialPort): SerialPort =>
    new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (name !== "write") return typeof value === "function" ? (value as () => void).bind(target) : value;
        return async (bytes: Uint8Array) => {
          sent += 1;
          if (sent === at) await target.close();
          return target.write(bytes);
        };
      },
    });
  try {
    await write(way, data, { withStub, wrap });
    return undefined;
  } catch (error) {
    return error;
  }
}

function holds(t: ExecutionContext, { rig }: Way, data: Uint8Array): void {
  t.true(Buffer.from(rig.flash.read(OFFSET, data.length)).equals(data));
}

/** Half text, half noise: compresses about as a firmware does. */
function sample(size: number): Uint8Array {
  const half = size >> 1;
  return new Uint8Array(Buffer.concat([Buffer.alloc(half, "tide "), randomBytes(size - half)]));
}
