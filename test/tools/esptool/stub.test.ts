// Espressif's stub: when it is loaded, what it is asked, and what happens where it does not start or reads one frame at a time.

import test, { type ExecutionContext } from "ava";
import { randomBytes } from "node:crypto";
import { allChips } from "../../../tools/chips/registry.js";
import { decodeRequest, Op } from "../../../tools/esptool/command.js";
import { flash, type FlashOptions } from "../../../tools/esptool/flasher.js";
import { Loader } from "../../../tools/esptool/loader.js";
import { SlipReader } from "../../../tools/esptool/slip.js";
import { parseStub } from "../../../tools/esptool/stub.js";
import { codecs, stubFor } from "../../../tools/node-flasher.js";
import { openPort } from "../../../tools/serial/open.js";
import { code, until } from "../../contract/serial-port.js";
import { Rig } from "./rig.js";

async function write(t: ExecutionContext, rig: Rig, data: Uint8Array, options: Partial<FlashOptions> = {}) {
  const port = await openPort(rig.ports.rfc2217, { baudRate: 115200 });
  const loader = new Loader({ port, chips: allChips() });
  try {
    const regions = [{ offset: 0x10000, data, name: "app.bin" }];
    const result = await flash(loader, { regions, codecs, stub: stubFor, ...options });
    t.true(Buffer.from(rig.flash.read(0x10000, data.length)).equals(data));
    return result;
  } finally {
    loader.close();
    await port.close();
    await until(() => !rig.ports.uart.connected);
  }
}

/** Opcodes of all requests, in order. */
function watch(rig: Rig): number[] {
  const ops: number[] = [];
  const slip = new SlipReader(0x5000, { onPacket: (packet) => ops.push(decodeRequest(packet).op) });
  rig.toRom = (bytes) => {
    slip.push(bytes);
    return bytes;
  };
  return ops;
}

const noise = (size: number) => new Uint8Array(randomBytes(size));

test("every chip that is supported has a stub, whose parts lie in RAM where its ROM lets them be loaded", async (t) => {
  for (const { name, rom } of allChips()) {
    const stub = (await stubFor(name))!;
    for (const { address, bytes } of stub.segments)
      t.true(
        rom.ram.some(({ start, end }) => address >= start && address + bytes.length <= end),
        `${name}: 0x${address.toString(16)}`,
      );
  }
  t.is(await stubFor("esp99"), undefined);
});

for (const [name, file] of [
  ["nothing in it", {}],
  ["no entry", { text: "AAAA", text_start: 1024 }],
  ["an address beyond 32 bits", { text: "AAAA", text_start: 2 ** 32, entry: 1024 }],
  ["no code", { text: "", text_start: 1024, entry: 1024 }],
] as const) {
  test(`a data file with ${name} is refused`, (t) => {
    t.is(code(t.throws(() => parseStub(file))), "stub-unusable");
  });
}

test("much to write: the stub is loaded and writes blocks of 16 KB; a few sectors: the ROM does it", async (t) => {
  const rig = await Rig.open(t);
  const ops = watch(rig);
  const data = noise(200_000);
  const first = await write(t, rig, data, { baudRate: 921600 });
  t.true(first.stub && first.verified);
  t.is(first.baudRate, 921600);
  t.is(ops.filter((op) => op === Op.FLASH_DEFL_DATA).length, Math.ceil(200_100 / 0x4000));
  ops.length = 0;
  data[100_000]! ^= 1;
  const second = await write(t, rig, data);
  t.false(second.stub);
  t.is(second.bytesWritten, 4096);
  t.false(ops.includes(Op.MEM_BEGIN));
});

test("without a stub the ROM writes all of it", async (t) => {
  const rig = await Rig.open(t);
  const result = await write(t, rig, noise(100_000), { stub: async () => undefined });
  t.false(result.stub);
  t.true(result.verified);
});

test("a stub that does not start is done without, and that is said", async (t) => {
  const rig = await Rig.open(t);
  rig.toHost = (bytes) => (Buffer.from(bytes).includes("OHAI") ? undefined : bytes);
  rig.onStub = () => rig.start(false); // it crashed
  const notes: string[] = [];
  const result = await write(t, rig, noise(100_000), { onNote: (note) => notes.push(note) });
  t.false(result.stub);
  t.regex(notes[0]!, /does not start; going on without the stub/);
});

test("a stub that starts at the first rate again is found there, and the rate goes up once more", async (t) => {
  const rig = await Rig.open(t);
  rig.onStub = () => rig.ports.uart.setBoardRate(115200);
  const rates: number[] = [];
  rig.ports.uart.onBaudRate((baud) => rates.push(baud));
  const result = await write(t, rig, noise(100_000), { baudRate: 460800 });
  t.true(result.stub);
  t.deepEqual(rates.slice(-3), [460800, 115200, 460800]);
});

test("a stub that reads only one frame ahead gets no more; one that loses a command is asked one by one", async (t) => {
  const rig = await Rig.open(t);
  const data = noise(300_000);
  await write(t, rig, data);
  let lost = 0;
  const ops = watch(rig);
  const pass = rig.toRom;
  rig.toRom = (bytes) => {
    pass(bytes);
    const isSecondMd5 = ops.at(-1) === Op.SPI_FLASH_MD5 && ops.at(-2) === Op.SPI_FLASH_MD5;
    if (!isSecondMd5 || lost > 0) return bytes;
    lost += 1;
    return undefined;
  };
  const again = await write(t, rig, data);
  t.is(lost, 1);
  t.is(again.bytesWritten, 0, "a missing answer is not mistaken for a difference");
  t.is(again.skipped, 300_000);
});
