// --realtime: bytes at the baud rate, and the times that erasing, programming and hashing take.
// In world time, on a stepped clock: to the moment, however busy the machine is.

import test, { type ExecutionContext } from "ava";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { gd25q32c } from "../../../tools/chips/flash-chip.js";
import {
  blockRequest,
  decodeResponse,
  encodeBegin,
  encodeRequest,
  encodeWords,
  Op,
  Reason,
  splitBody,
  type Request,
} from "../../../tools/esptool/command.js";
import { encodeSlip, SlipReader } from "../../../tools/esptool/slip.js";
import { Clock } from "../../../tools/simulator/clock.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { chipEraseMs, eraseMs, programMs } from "../../../tools/simulator/flash-timing.js";
import { PacedLine } from "../../../tools/simulator/paced-line.js";
import { RomLoader } from "../../../tools/simulator/rom.js";
import { pass } from "../../support/stepped.js";

/** A bootloader behind a paced line, and a client with a stopwatch. */
class Bench {
  rate = 115200;
  readonly flash = NorFlash.open({ size: 0x400000 });
  readonly rates: (number | "auto")[] = [];
  readonly clock = new Clock({ mode: "stepped" });
  private readonly rom: RomLoader;
  readonly line: PacedLine;
  private readonly answers: { reason: number | undefined; at: number }[] = [];
  private readonly slip = new SlipReader(0x10000, {
    onPacket: (packet) => {
      if (packet[0] !== 1) return; // OHAI
      const { op, body } = decodeResponse(packet);
      const { reason } = splitBody(body, op === Op.SPI_FLASH_MD5 ? 32 : 0);
      this.answers.push({ reason, at: this.clock.now() });
    },
  });

  constructor(t: ExecutionContext) {
    this.line = new PacedLine({
      clock: this.clock,
      clientRate: () => this.rate,
      send: (bytes) => this.slip.push(bytes),
      deliver: (bytes) => this.rom.receive(bytes),
      reads: () => this.rom.isStub,
    });
    this.rom = new RomLoader({
      ...{ chip: esp32c3, mac: new Uint8Array(6), flash: this.flash },
      send: (bytes) => this.line.toHost(bytes),
      baudRate: () => this.rate,
      setBaudRate: (baud) => this.line.setRate(baud, () => this.rates.push(baud)),
      charge: (ms) => this.line.charge(ms),
      now: () => this.line.freeAt,
      onRun: () => undefined,
    });
    t.teardown(() => this.clock.close());
  }

  send(request: Request): number {
    const frame = encodeSlip(encodeRequest(request));
    this.line.fromHost(frame);
    return frame.length;
  }

  /** The next one; throws where none will come. */
  answer(): { reason: number | undefined; at: number } {
    while (this.answers.length === 0) if (!this.clock.step()) throw new Error("no answer comes");
    return this.answers.shift()!;
  }

  /** How many come until nothing happens any more. */
  count(): number {
    while (this.clock.step());
    return this.answers.splice(0).length;
  }

  /** Sends, waits, and gives the milliseconds between beyond those of the line. */
  time(op: number, data: Uint8Array): number {
    const start = this.clock.now();
    const sent = this.send({ op, data, checksum: 0 });
    const { at, reason } = this.answer();
    if (reason !== undefined) throw new Error(`refused: ${reason}`);
    return at - start - (sent * 10_000) / this.rate;
  }

  startStub(): void {
    this.time(Op.MEM_BEGIN, encodeBegin({ size: 64, blocks: 1, blockSize: 0x1800, offset: 0x40380000 }));
    this.send(blockRequest(Op.MEM_DATA, { sequence: 0, payload: new Uint8Array(64) }));
    this.answer();
    this.time(Op.MEM_END, encodeWords(0, 0x40380000));
  }
}

function within(t: ExecutionContext, actual: number, expected: number, what: string): void {
  t.true(actual >= expected - 2, `${what}: ${actual.toFixed(1)} ms, at least ${expected}`);
  t.true(actual <= expected + 2, `${what}: ${actual.toFixed(1)} ms, about ${expected}`);
}

test.serial("bytes to the client take ten bits each", (t) => {
  const clock = new Clock({ mode: "stepped" });
  t.teardown(() => clock.close());
  let bytes = 0;
  const start = clock.now();
  const line = new PacedLine({
    clock,
    clientRate: () => 115200,
    send: (piece) => void (bytes += piece.length),
    deliver: () => undefined,
    reads: () => false,
  });
  line.toHost(new Uint8Array(5000));
  line.toHost(new Uint8Array(760));
  while (bytes < 5760) t.true(clock.step());
  within(t, clock.now() - start, 500, "5,760 bytes at 115200");
});

test.serial("bytes to the board take ten bits each, and so does the answer", (t) => {
  const bench = new Bench(t);
  bench.rate = 9600;
  within(t, bench.time(Op.READ_REG, encodeWords(0x40001000)), (14 * 10_000) / 9600, "an answer of 14");
});

test.serial("a ROM answers when it has erased, a stub before it writes; both take the flash's time", (t) => {
  const bench = new Bench(t);
  bench.rate = 921600;
  bench.time(Op.SPI_ATTACH, encodeWords(0, 0));
  const begin = { size: 0x13000, blocks: 0, blockSize: 0x400, offset: 0x1000, encrypted: false };
  const expected = 19 * gd25q32c.sectorEraseMs; // the first boundary of 64 KB is 15 sectors on, too near for a block
  within(t, bench.time(Op.FLASH_BEGIN, encodeBegin(begin)), expected, "76 KB by sectors");
  const aligned = { ...begin, size: 0x12000, offset: 0x20000 };
  const block = gd25q32c.blockEraseMs + 2 * gd25q32c.sectorEraseMs;
  within(t, bench.time(Op.FLASH_BEGIN, encodeBegin(aligned)), block, "72 KB, a block of them");
  within(t, bench.time(Op.SPI_FLASH_MD5, encodeWords(0, 0x40000, 0, 0)), 100, "MD5 of 256 KB");

  bench.startStub();
  const stubBegin = { size: 0x4000, blocks: 1, blockSize: 0x4000, offset: 0x1000 };
  const atOnce = bench.time(Op.FLASH_BEGIN, encodeBegin(stubBegin));
  t.true(atOnce < 4 * gd25q32c.sectorEraseMs, "it does not wait for the first sector");
  pass(bench.clock, gd25q32c.sectorEraseMs);
  const start = bench.clock.now();
  const sent = bench.send(blockRequest(Op.FLASH_DATA, { sequence: 0, payload: new Uint8Array(0x4000) }));
  bench.send({ op: Op.READ_REG, data: encodeWords(0), checksum: 0 });
  const lineMs = (sent * 10_000) / bench.rate;
  const acknowledged = bench.answer().at - start - lineMs;
  const next = bench.answer().at - start - lineMs;
  within(t, acknowledged, 0, "acknowledged when it has come");
  const rest = 3 * gd25q32c.sectorEraseMs + 64 * gd25q32c.pageProgramMs;
  within(t, next, rest, "then the other sectors are erased, and all are programmed");
});

test.serial("while a ROM is at work its FIFO takes 128 bytes; the rest is lost", (t) => {
  const bench = new Bench(t);
  bench.rate = 921600;
  bench.time(Op.SPI_ATTACH, encodeWords(0, 0));
  const begin = { size: 0x2000, blocks: 0, blockSize: 0x400, offset: 0, encrypted: false };
  bench.send({ op: Op.FLASH_BEGIN, data: encodeBegin(begin), checksum: 0 });
  const read = { op: Op.READ_REG, data: encodeWords(0x40001000), checksum: 0 };
  let sent = 0;
  for (let i = 0; i < 20; i += 1) sent += bench.send(read);
  bench.answer(); // of the erase
  const answered = bench.count();
  t.true(answered > 0 && answered <= (20 * 128) / sent, `${answered} of 20 answered`);
});

test.serial("of what comes in one go with a block, a ROM loses what its FIFO does not hold", (t) => {
  const bench = new Bench(t);
  bench.rate = 921600;
  bench.time(Op.SPI_ATTACH, encodeWords(0, 0));
  const begin = { size: 0x1000, blocks: 4, blockSize: 0x400, offset: 0, encrypted: false };
  bench.time(Op.FLASH_BEGIN, encodeBegin(begin));
  const block = (sequence: number) =>
    encodeSlip(
      encodeRequest(blockRequest(Op.FLASH_DATA, { sequence, payload: new Uint8Array(0x400).fill(1) })),
    );
  bench.line.fromHost(new Uint8Array([...block(0), ...block(1).subarray(0, 128)]));
  bench.answer();
  bench.line.fromHost(new Uint8Array([...block(1).subarray(128), ...block(2).subarray(0, 129)]));
  t.is(bench.answer().reason, undefined, "128 bytes waited in the FIFO");
  bench.line.fromHost(block(2).subarray(129));
  t.is(bench.answer().reason, Reason.INVALID_MESSAGE, "the byte behind them was lost");
});

test.serial("the new baud rate holds from the byte after the answer to its command", (t) => {
  const bench = new Bench(t);
  bench.time(Op.CHANGE_BAUDRATE, encodeWords(9600, 0));
  t.deepEqual(bench.rates, [9600]);
  bench.rate = 9600;
  within(t, bench.time(Op.READ_REG, encodeWords(0x40001000)), (14 * 10_000) / 9600, "an answer of 14");
});

test("what an erase takes depends on where it begins; programming goes by pages", (t) => {
  t.is(eraseMs(gd25q32c, 0, 0x10000), gd25q32c.blockEraseMs);
  t.is(eraseMs(gd25q32c, 0x1000, 0x10000), 15 * gd25q32c.sectorEraseMs);
  t.is(eraseMs(gd25q32c, 0x1000, 0x21000), 16 * gd25q32c.sectorEraseMs + gd25q32c.blockEraseMs);
  t.is(chipEraseMs(gd25q32c, 0x400000), 15_000);
  t.is(programMs(gd25q32c, 0, 0), 0);
  t.is(programMs(gd25q32c, 0xff, 2), 2 * gd25q32c.pageProgramMs);
  t.is(programMs(gd25q32c, 0x100, 0x400), 4 * gd25q32c.pageProgramMs);
});
