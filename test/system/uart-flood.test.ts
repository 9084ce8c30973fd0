// The UART as slow and as small as it is (`--realtime`), flooded faster than its FIFO takes: on the firmware's bytecode.

import test from "ava";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadNetworks } from "../../firmware/connect/networks.js";
import { encodeFrame, FrameType } from "../../firmware/protocol/improv.js";
import { ImprovParser } from "../../firmware/protocol/improv-parser.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { prepareEngine } from "../../tools/engine/engine.js";
import { Air } from "../../tools/simulator/air.js";
import { Board } from "../../tools/simulator/board.js";
import { Clock } from "../../tools/simulator/clock.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { checkWorld } from "../../tools/simulator/world.js";
import { buildFirmware } from "../chain/rig.js";
import { Wire } from "../chain/wire.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import { seededRandom } from "../support/random.js";

const { layout, flashSize } = esp32c3;
const network = { ssid: "Broome", password: "cable-beach-6725", security: "wpa2" };
const PARTS = 400;
const PATIENCE_MS = 60_000;

/** Forty times as fast as the usual rate: no program reads so fast. */
class FastWire extends Wire {
  override readonly baudRate: number = 4_000_000;
}

const folder = mkdtempSync(join(tmpdir(), "broome-flood-"));
test.before(() => buildFirmware(folder));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

async function floodedBoard() {
  const content = Buffer.alloc(flashSize, 0xff);
  const file = (name: string) => readFileSync(join(folder, name));
  content.set(file("partition-table.bin"), layout.partitionTable.offset);
  content.set(file("app.bin"), layout.ota_0.offset);
  const flashFile = join(folder, "board.flash");
  writeFileSync(flashFile, content);
  const flash = NorFlash.open({ size: flashSize, content });
  const world = checkWorld({ seed: 1, accessPoints: [network] });
  const [uart, clock] = [new FastWire(), new Clock({ mode: "real" })];
  const heard = { text: "", states: 0 };
  const parser = new ImprovParser({
    onText: (byte) => (heard.text += String.fromCharCode(byte)),
    onFrame: (type) => (heard.states += Number(type === FrameType.state)),
    onBadFrame: () => undefined,
  });
  const board = new Board({
    ...{ chip: esp32c3, engine: await prepareEngine({ cacheDir: ".broome" }), flash, flashFile, uart },
    ...{ mac: Uint8Array.of(2, 0, 0, 0, 0, 1), world, clock, air: new Air(world), seed: 1, number: 0 },
    paced: true,
    watchdogMs: PATIENCE_MS,
    onUart: (bytes) => bytes.forEach((byte) => parser.push(byte)),
  });
  const until = async (what: string, condition: () => boolean) => {
    for (const end = Date.now() + PATIENCE_MS; !condition();) {
      if (Date.now() > end) throw new Error(`${what} did not come:\n${heard.text.slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const close = () => {
    board.close();
    clock.close();
  };
  return { board, uart, flash, heard, until, close };
}

test("noise, half frames and damaged ones faster than the FIFO: bytes are lost, nothing else; dialog and Improv answer", async (t) => {
  t.timeout(180_000);
  const random = seededRandom(20261127);
  t.log(`seed ${random.seed}`);
  const { board, uart, flash, heard, until, close } = await floodedBoard();
  t.teardown(close);
  board.powerOn();
  await until("the dialog", () => /Number or name[^\n]*: $/.test(heard.text));
  const ssid = Buffer.from(network.ssid);
  const wrong = Buffer.from("boab-prison-tree");
  const payload = [ssid.length, ...ssid, wrong.length, ...wrong];
  const frame = encodeFrame(FrameType.rpc, Uint8Array.of(1, payload.length, ...payload));
  for (let i = 0; i < PARTS; i += 1) {
    if (i % 3 === 0) uart.send(random.bytes(1 + random.below(1_000)));
    else {
      const part = frame.slice(0, random.below(frame.length));
      if (i % 3 === 2 && part.length > 0) part[random.below(part.length)]! ^= 1 + random.below(255);
      uart.send(part);
    }
    if (i % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  t.true((board.status().overruns as number) > 1_000, "the FIFO did not overflow: this proves nothing");
  heard.states = 0;
  await until("a state", () => {
    uart.send(encodeFrame(FrameType.rpc, Uint8Array.of(2, 0)));
    return heard.states > 0;
  });
  heard.text = "";
  uart.send(Uint8Array.of(3)); // Ctrl-C
  await until("the dialog again", () => {
    uart.send(Uint8Array.of(13));
    return /Number or name[^\n]*: $/.test(heard.text);
  });
  const { resets, lastCrash } = board.status();
  t.deepEqual([resets, lastCrash], [1, undefined]);
  const store = new LogStore({ flash: flashRegion(flash, layout.broome.offset, layout.broome.size) });
  t.deepEqual(loadNetworks(store), []);
});
