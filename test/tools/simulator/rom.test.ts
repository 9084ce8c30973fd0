// The virtual ROM and its stub dialect, command by command; what a hostile client may send, with the flash compared.

import test from "ava";
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { Chip } from "../../../tools/chips/chip.js";
import { esp32 } from "../../../tools/chips/esp32.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { esp8266 } from "../../../tools/chips/esp8266.js";
import {
  blockRequest,
  decodeResponse,
  decodeSecurityInfo,
  encodeBegin,
  encodeRequest,
  encodeWords,
  Op,
  Reason,
  StubReason,
  splitBody,
  syncData,
  type Request,
  type Response,
} from "../../../tools/esptool/command.js";
import { encodeSlip, SlipReader } from "../../../tools/esptool/slip.js";
import { NorFlash, PowerCut } from "../../../tools/simulator/flash.js";
import { RomLoader } from "../../../tools/simulator/rom.js";
import { seeded } from "../../../tools/simulator/seeded.js";

const MAC = Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55);
const STATUS_OK = Uint8Array.of(0, 0, 0, 0);
const text = (value: string) => new Uint8Array(Buffer.from(value));

/** A client without any cleverness: one request, all packets that come back. */
class Client {
  readonly flash: NorFlash;
  readonly bauds: number[] = [];
  runs = 0;
  packets: Uint8Array[] = [];
  private readonly slip = new SlipReader(0x10000, { onPacket: (packet) => this.packets.push(packet) });
  readonly rom: RomLoader;

  constructor(flash = NorFlash.open({ size: 0x400000 }), chip: Chip = esp32c3) {
    this.flash = flash;
    this.rom = new RomLoader({
      ...{ chip, mac: MAC, flash },
      send: (bytes) => this.slip.push(bytes),
      baudRate: () => 115200,
      setBaudRate: (baud) => this.bauds.push(baud),
      onRun: () => (this.runs += 1),
    });
  }

  raw(bytes: Uint8Array): Uint8Array[] {
    this.packets = [];
    this.rom.receive(bytes);
    return this.packets;
  }

  request(request: Request): Response {
    const packets = this.raw(encodeSlip(encodeRequest(request)));
    if (packets.length === 0) throw new Error("no answer");
    return decodeResponse(packets[0]!);
  }

  command(op: number, data: Uint8Array = new Uint8Array(0)): Response {
    return this.request({ op, data, checksum: 0 });
  }

  /** The reason of a refusal, undefined for success. */
  reason(op: number, data?: Uint8Array): number | undefined {
    return splitBody(this.command(op, data).body, 0).reason;
  }

  attach(): this {
    if (this.reason(Op.SPI_ATTACH, encodeWords(0, 0)) !== undefined) throw new Error("attach");
    return this;
  }

  block(op: number, sequence: number, payload: Uint8Array): number | undefined {
    return splitBody(this.request(blockRequest(op, { sequence, payload })).body, 0).reason;
  }

  /** Loads nonsense into RAM and starts it. */
  startStub(): this {
    this.reason(Op.MEM_BEGIN, encodeBegin({ size: 100, blocks: 1, blockSize: 0x1800, offset: 0x40380000 }));
    this.block(Op.MEM_DATA, 0, new Uint8Array(100));
    const packets = this.raw(
      encodeSlip(encodeRequest({ op: Op.MEM_END, data: encodeWords(0, 0x40380000), checksum: 0 })),
    );
    if (!packets[1] || Buffer.from(packets[1]).toString() !== "OHAI") throw new Error("no OHAI");
    return this;
  }

  spi(command: number, bits: number, address = 0): number {
    const { base, usr1, usr2, misoLength, data } = esp32c3.rom.spi;
    const write = (register: number, value: number) =>
      this.reason(Op.WRITE_REG, encodeWords(base + register, value, 0xffffffff, 0));
    write(misoLength.offset, bits - 1);
    write(usr1, (23 << 26) >>> 0);
    write(usr2, ((7 << 28) | command) >>> 0);
    write(4, address);
    write(data, 0);
    write(0, 1 << 18);
    if (this.register(base) & (1 << 18)) throw new Error("still busy");
    return this.register(base + data);
  }

  register(address: number): number {
    return this.command(Op.READ_REG, encodeWords(address)).value;
  }
}

test("SYNC is answered eight times, by a ROM with a value, by a stub with zero", (t) => {
  const client = new Client();
  const frame = encodeSlip(encodeRequest({ op: Op.SYNC, data: syncData(), checksum: 0 }));
  const rom = client.raw(frame).map(decodeResponse);
  t.is(rom.length, 8);
  t.true(rom.every((response) => response.op === Op.SYNC && response.value !== 0));
  t.deepEqual(rom[0]!.body, STATUS_OK);
  client.startStub();
  const stub = client.raw(frame).map(decodeResponse);
  t.is(stub.length, 8);
  t.true(stub.every((response) => response.value === 0 && response.body.length === 2));
});

test("it is an ESP32-C3 with the board's MAC and the specimen's revision", (t) => {
  const client = new Client();
  t.is(decodeSecurityInfo(splitBody(client.command(Op.GET_SECURITY_INFO).body, 20).data).chipId, 5);
  t.is(client.register(0x60008844), 0x22334455);
  t.is(client.register(0x60008848), 0x0211);
  t.is((client.register(0x60008850) >>> 18) & 7, 4);
  t.is((client.register(0x60008858) >>> 24) & 3, 0);
  t.is(client.reason(Op.WRITE_REG, encodeWords(0x60008844, 0, 0xffffffff, 0)), undefined);
  t.is(client.register(0x60008844), 0x22334455, "eFuse cannot be written");
});

test("registers keep what the mask lets through", (t) => {
  const client = new Client();
  client.command(Op.WRITE_REG, encodeWords(0x60008090, 0xffff1234, 0xffffffff, 0));
  client.command(Op.WRITE_REG, encodeWords(0x60008090, 0xffffffff, 0x000000f0, 0));
  t.is(client.register(0x60008090), 0xffff12f4);
});

test("the flash behind the SPI controller says its id, its size and its SFDP", (t) => {
  const client = new Client().attach();
  t.is(client.spi(0x9f, 24), 0x1640c8);
  t.is(client.spi(0x5a, 32, 0), 0x50444653);
  t.is(client.spi(0x5a, 32, 0x34), 0x400000 * 8 - 1);
  t.is(client.spi(0x5a, 8, 0x10), 0xc8);
});

test("raw and deflated writes land where BEGIN said, erased before, FF around them", (t) => {
  const client = new Client().attach();
  const image = randomBytes(5000);
  client.flash.program(0x10000, new Uint8Array(0x3000));
  const padded = Buffer.concat([image, Buffer.alloc(120, 0xff)]);
  const begin = { size: 5000, blocks: 5, blockSize: 0x400, offset: 0x10000, encrypted: false };
  t.is(client.reason(Op.FLASH_BEGIN, encodeBegin(begin)), undefined);
  for (let i = 0; i < 5; i += 1) {
    t.is(client.block(Op.FLASH_DATA, i, padded.subarray(i * 0x400, (i + 1) * 0x400)), undefined);
  }
  t.deepEqual(Buffer.from(client.flash.read(0x10000, 5000)), image);
  t.true(client.flash.read(0x10000 + 5000, 0x2000 - 5000).every((byte) => byte === 0xff));
  t.is(client.flash.read(0x12000, 1)[0], 0, "the sector behind was not touched");

  const packed = deflateSync(image, { level: 9 });
  const blocks = Math.ceil(packed.length / 0x400);
  const deflated = { size: 5 * 0x400, blocks, blockSize: 0x400, offset: 0x20000, encrypted: false };
  t.is(client.reason(Op.FLASH_DEFL_BEGIN, encodeBegin(deflated)), undefined);
  for (let i = 0; i < blocks; i += 1) {
    t.is(client.block(Op.FLASH_DEFL_DATA, i, packed.subarray(i * 0x400, (i + 1) * 0x400)), undefined);
  }
  t.deepEqual(Buffer.from(client.flash.read(0x20000, 5000)), image);

  const md5 = createHash("md5").update(image).digest();
  const range = encodeWords(0x20000, 5000, 0, 0);
  t.is(
    Buffer.from(splitBody(client.command(Op.SPI_FLASH_MD5, range).body, 32).data).toString(),
    md5.toString("hex"),
  );
  client.startStub();
  t.deepEqual(Buffer.from(splitBody(client.command(Op.SPI_FLASH_MD5, range).body, 16).data), md5);
});

test("a damaged block is refused and can be sent again; one out of turn is refused", (t) => {
  const client = new Client().attach();
  const begin = { size: 0x800, blocks: 2, blockSize: 0x400, offset: 0, encrypted: false };
  client.command(Op.FLASH_BEGIN, encodeBegin(begin));
  const good = blockRequest(Op.FLASH_DATA, { sequence: 0, payload: new Uint8Array(0x400).fill(3) });
  t.is(splitBody(client.request({ ...good, checksum: good.checksum ^ 1 }).body, 0).reason, Reason.CHECKSUM);
  t.true(client.flash.read(0, 0x400).every((byte) => byte === 0xff));
  t.is(client.block(Op.FLASH_DATA, 1, new Uint8Array(0x400)), Reason.FAILED);
  t.is(splitBody(client.request(good).body, 0).reason, undefined);
  t.is(client.block(Op.FLASH_DATA, 0, new Uint8Array(0x400)), Reason.FAILED, "again");
  t.is(client.block(Op.FLASH_DATA, 1, new Uint8Array(0x400)), undefined);
  t.is(client.block(Op.FLASH_DATA, 2, new Uint8Array(0x400)), Reason.FAILED, "beyond the last");
});

test("the stub erases as it writes, erases on demand, and reads with flow control", (t) => {
  const client = new Client().attach().startStub();
  client.flash.program(0, new Uint8Array(0x4000));
  const image = randomBytes(0x1800);
  const begin = { size: image.length, blocks: 1, blockSize: 0x4000, offset: 0x1000 };
  t.is(client.reason(Op.FLASH_BEGIN, encodeBegin(begin)), undefined);
  t.is(client.flash.operations.erases, 1, "the first sector's erase runs while the block comes");
  const padded = Buffer.concat([image, Buffer.alloc(0x4000 - image.length, 0xff)]);
  t.is(client.block(Op.FLASH_DATA, 0, padded), undefined);
  t.is(client.flash.operations.erases, 2);
  t.deepEqual(Buffer.from(client.flash.read(0x1000, image.length)), image);
  t.is(client.flash.read(0x3000, 1)[0], 0, "padding is not written");

  const ack = (bytes: number) => client.raw(encodeSlip(encodeWords(bytes)));
  const packets = client.raw(
    encodeSlip(
      encodeRequest({ op: Op.READ_FLASH, data: encodeWords(0x1000, 0x1800, 0x400, 2), checksum: 0 }),
    ),
  );
  t.is(packets.length, 3, "the answer and two packets ahead");
  const read = [...packets.slice(1)];
  for (let got = 0x400; got < 0x1800; got += 0x400) read.push(...ack(got));
  t.deepEqual(Buffer.concat(read), image);
  const [digest] = ack(0x1800);
  t.deepEqual(Buffer.from(digest!), createHash("md5").update(image).digest());

  t.is(client.reason(Op.ERASE_REGION, encodeWords(0x1000, 0x1000)), undefined);
  t.true(client.flash.read(0x1000, 0x1000).every((byte) => byte === 0xff));
  t.is(client.reason(Op.ERASE_REGION, encodeWords(0x1001, 0x1000)), StubReason.ERASE_OFFSET);
  t.is(client.reason(Op.ERASE_REGION, encodeWords(0x1000, 0x1001)), StubReason.ERASE_SIZE);
  t.is(client.reason(Op.ERASE_FLASH), undefined);
  t.true(client.flash.read(0, 0x400000).every((byte) => byte === 0xff));
});

test("what goes wrong with a block, a stub tells with the next command; it does not count blocks", (t) => {
  const client = new Client().attach().startStub();
  t.is(client.block(Op.FLASH_DATA, 0, new Uint8Array(16)), StubReason.NOT_BEGUN);
  const begin = { size: 0x2000, blocks: 2, blockSize: 0x1000, offset: 0 };
  client.command(Op.FLASH_BEGIN, encodeBegin(begin));
  const good = blockRequest(Op.FLASH_DATA, { sequence: 7, payload: new Uint8Array(0x1000).fill(3) });
  t.is(
    splitBody(client.request({ ...good, checksum: good.checksum ^ 1 }).body, 0).reason,
    StubReason.CHECKSUM,
  );
  t.is(splitBody(client.request(good).body, 0).reason, undefined);
  t.is(client.reason(Op.FLASH_END, encodeWords(1)), StubReason.NOT_ENOUGH);
  t.is(splitBody(client.request(good).body, 0).reason, undefined);
  t.is(client.reason(Op.FLASH_END, encodeWords(1)), undefined);
  t.true(client.flash.read(0, 0x2000).every((byte) => byte === 3));

  client.command(Op.FLASH_DEFL_BEGIN, encodeBegin(begin));
  t.is(client.block(Op.FLASH_DEFL_DATA, 0, text("no zlib at all")), undefined, "it has come");
  t.is(client.block(Op.FLASH_DEFL_DATA, 1, text("more")), StubReason.DEFLATE);
  t.is(client.reason(0x7f), StubReason.UNKNOWN);
  t.is(client.reason(Op.READ_REG, encodeWords(1, 2)), StubReason.DATA_LENGTH);
  const large = encodeBegin({ ...begin, blockSize: 0x4001 });
  t.is(client.reason(Op.FLASH_BEGIN, large), StubReason.BLOCK_SIZE);
});

test("the ESP8266's ROM erases the sectors before the first 64 KB boundary twice as many", (t) => {
  for (const [offset, asked, erased] of [
    [0, 3, 6],
    [0, 24, 40],
    [0xd000, 2, 4],
    [0xd000, 10, 13],
  ] as const) {
    const client = new Client(undefined, esp8266);
    const begin = { size: asked * 0x1000, blocks: 0, blockSize: 0x400, offset };
    t.is(client.reason(Op.FLASH_BEGIN, encodeBegin(begin)), undefined);
    t.is(client.flash.operations.erases, erased, `${asked} sectors at ${offset}`);
  }
  const other = new Client().attach();
  const begin = { size: 0x3000, blocks: 0, blockSize: 0x400, offset: 0, encrypted: false };
  other.reason(Op.FLASH_BEGIN, encodeBegin(begin));
  t.is(other.flash.operations.erases, 3);
});

const absent: [Chip, number[]][] = [
  [esp8266, [Op.SPI_ATTACH, Op.SPI_SET_PARAMS, Op.CHANGE_BAUDRATE, Op.FLASH_DEFL_BEGIN, Op.SPI_FLASH_MD5]],
  [esp8266, [Op.READ_FLASH_SLOW, Op.GET_SECURITY_INFO, Op.ERASE_FLASH]],
  [esp32, [Op.GET_SECURITY_INFO, Op.ERASE_REGION, Op.READ_FLASH]],
];
for (const [chip, ops] of absent)
  test(`${chip.name}: its ROM refuses ${ops.length} commands that it does not have; status of ${chip.rom.statusLength}`, (t) => {
    for (const op of ops) {
      const { body } = new Client(undefined, chip).command(op, new Uint8Array(8));
      t.is(body.length, chip.rom.statusLength);
      t.is(splitBody(body, 0).reason, Reason.INVALID_MESSAGE);
    }
  });

test("READ_FLASH_SLOW gives 64 bytes", (t) => {
  const client = new Client().attach();
  client.flash.program(0x100, text("hello"));
  const { data } = splitBody(client.command(Op.READ_FLASH_SLOW, encodeWords(0x100, 64)).body, 64);
  t.is(Buffer.from(data.subarray(0, 5)).toString(), "hello");
  t.is(client.reason(Op.READ_FLASH_SLOW, encodeWords(0, 65)), Reason.FLASH_READ_LENGTH);
});

test("the new baud rate holds after the answer", (t) => {
  const client = new Client();
  t.is(client.reason(Op.CHANGE_BAUDRATE, encodeWords(460800, 0)), undefined);
  t.deepEqual(client.bauds, [460800]);
  t.is(client.reason(Op.CHANGE_BAUDRATE, encodeWords(0, 0)), Reason.INVALID_PARAMETER);
});

test("FLASH_END runs the app, once, and nothing is answered after it", (t) => {
  const client = new Client().attach();
  client.command(
    Op.FLASH_BEGIN,
    encodeBegin({ size: 0, blocks: 0, blockSize: 0x400, offset: 0, encrypted: false }),
  );
  const end = encodeSlip(encodeRequest({ op: Op.FLASH_END, data: encodeWords(0), checksum: 0 }));
  t.is(client.raw(Buffer.concat([end, end])).length, 1);
  t.is(client.runs, 1);
  t.is(client.raw(end).length, 0);

  const stub = new Client().attach().startStub();
  t.is(stub.reason(Op.FLASH_END, encodeWords(1)), StubReason.NOT_BEGUN);
  const nothing = encodeBegin({ size: 0, blocks: 0, blockSize: 0x4000, offset: 0 });
  t.is(stub.reason(Op.FLASH_BEGIN, nothing), undefined);
  t.is(stub.reason(Op.FLASH_END, encodeWords(1)), undefined);
  t.is(stub.runs, 0, "a stub stays when told to");
  t.is(stub.reason(Op.FLASH_BEGIN, nothing), undefined);
  t.is(stub.reason(Op.FLASH_END, encodeWords(0)), undefined);
  t.is(stub.runs, 1);
});

const none = new Uint8Array(0);
for (const [name, op, data, reason] of [
  ["a command of the stub", Op.ERASE_FLASH, none, Reason.INVALID_MESSAGE],
  ["an unknown command", 0x7f, none, Reason.INVALID_MESSAGE],
  ["SYNC with another pattern", Op.SYNC, new Uint8Array(36), Reason.INVALID_MESSAGE],
  ["READ_REG without an address", Op.READ_REG, none, Reason.INVALID_MESSAGE],
  ["half a WRITE_REG", Op.WRITE_REG, new Uint8Array(15), Reason.INVALID_MESSAGE],
  ["a write beyond the flash", Op.FLASH_BEGIN, encodeWords(0x2000, 8, 0x400, 0x3ff000, 0), Reason.FAILED],
  ["a write that wraps around", Op.FLASH_BEGIN, encodeWords(0xfffff000, 8, 0x400, 0x1000, 0), Reason.FAILED],
  ["2^32 blocks", Op.FLASH_BEGIN, encodeWords(0x1000, 0xffffffff, 0x400, 0, 0), Reason.FAILED],
  ["an erase off the sectors", Op.FLASH_BEGIN, encodeWords(0x1000, 4, 0x400, 0x800, 0), Reason.FAILED],
  ["a stub's block size", Op.FLASH_BEGIN, encodeWords(0x1000, 1, 0x4000, 0, 0), Reason.INVALID_PARAMETER],
  ["an encrypted write", Op.FLASH_BEGIN, encodeWords(0x1000, 4, 0x400, 0, 1), Reason.INVALID_PARAMETER],
  ["FLASH_DATA without BEGIN", Op.FLASH_DATA, encodeWords(0, 0, 0, 0), Reason.CHECKSUM],
  ["MD5 beyond the flash", Op.SPI_FLASH_MD5, encodeWords(0, 0x400001, 0, 0), Reason.FLASH_READ_LENGTH],
  ["RAM that is none", Op.MEM_BEGIN, encodeWords(0x100, 1, 0x400, 0x3c000000), Reason.RAM_ADDRESS],
  ["RAM blocks too large", Op.MEM_BEGIN, encodeWords(0x100, 1, 0x4000, 0x40380000), Reason.RAM_SIZE],
  ["a start where nothing was loaded", Op.MEM_END, encodeWords(0, 0x40380000), Reason.RAM_ADDRESS],
] as const) {
  test(`${name} is refused and changes nothing`, (t) => {
    const client = new Client().attach();
    client.flash.program(0, text("untouched"));
    t.is(client.reason(op, data), reason);
    t.is(Buffer.from(client.flash.read(0, 9)).toString(), "untouched");
    t.is(client.flash.operations.erases, 0);
    t.is(client.runs, 0);
  });
}

test("nothing touches the flash before SPI_ATTACH", (t) => {
  const client = new Client();
  t.is(client.reason(Op.FLASH_BEGIN, encodeWords(0x1000, 4, 0x400, 0, 0)), Reason.FAILED);
  t.is(client.reason(Op.SPI_FLASH_MD5, encodeWords(0, 16, 0, 0)), Reason.FAILED);
});

test("a deflate bomb and damaged data stop at the size that BEGIN gave", (t) => {
  const client = new Client().attach();
  const bomb = deflateSync(Buffer.alloc(1_000_000));
  const begin = { size: 0x1000, blocks: 4, blockSize: 0x400, offset: 0, encrypted: false };
  client.command(Op.FLASH_DEFL_BEGIN, encodeBegin(begin));
  t.is(client.block(Op.FLASH_DEFL_DATA, 0, bomb.subarray(0, 0x400)), Reason.DEFLATE);
  t.true(client.flash.read(0x1000, 0x10000).every((byte) => byte === 0xff));
  client.command(Op.FLASH_DEFL_BEGIN, encodeBegin(begin));
  t.is(client.block(Op.FLASH_DEFL_DATA, 0, text("no zlib at all")), Reason.DEFLATE);
});

test("a power cut comes out of receive, with the flash torn", (t) => {
  const client = new Client().attach();
  client.flash.cutAfter(2, 5);
  const begin = { size: 0x3000, blocks: 12, blockSize: 0x400, offset: 0, encrypted: false };
  const frame = encodeSlip(encodeRequest({ op: Op.FLASH_BEGIN, data: encodeBegin(begin), checksum: 0 }));
  t.throws(() => client.raw(frame), { instanceOf: PowerCut });
});

for (const dialect of ["ROM", "stub"] as const) {
  test(`${dialect}: cut at every erase and program in turn, the same write completes in the end`, (t) => {
    const flash = NorFlash.open({ size: 0x400000 });
    const image = randomBytes(9000);
    const packed = deflateSync(image);
    flash.program(0x10000, new Uint8Array(0x3000)); // what was there before
    let cuts = 0;
    for (let n = 1; n < 100; n += 1) {
      const client = new Client(flash).attach();
      if (dialect === "stub") client.startStub();
      flash.cutAfter(n, n);
      try {
        const blockSize = dialect === "stub" ? 0x4000 : 0x400;
        const size = dialect === "stub" ? image.length : Math.ceil(image.length / 0x400) * 0x400;
        const blocks = Math.ceil(packed.length / blockSize);
        const begin = { size, blocks, blockSize, offset: 0x10000, encrypted: false };
        t.is(client.reason(Op.FLASH_DEFL_BEGIN, encodeBegin(begin)), undefined);
        for (let i = 0; i < blocks; i += 1) {
          const payload = packed.subarray(i * blockSize, (i + 1) * blockSize);
          t.is(client.block(Op.FLASH_DEFL_DATA, i, payload), undefined);
        }
        break;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        cuts += 1;
      }
    }
    flash.cutAfter(undefined);
    t.true(cuts >= 4, `${cuts} cuts`);
    t.true(Buffer.from(flash.read(0x10000, image.length)).equals(image));
  });
}

test("random packets never throw, never leave the flash's or the packet's bounds", (t) => {
  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  const below = (n: number) => Math.floor(chance() * n);
  const ops = [...Object.values(Op), 0x7f];
  const word = () =>
    [0, 1, 4, 0x400, 0x1000, 0x10000, 0x3ff000, 0x40380000, 0x60002000, 0xffffffff][below(10)]!;
  for (const stub of [false, true]) {
    const client = new Client().attach();
    if (stub) client.startStub();
    let longest = 0;
    t.notThrows(() => {
      for (let i = 0; i < 1500; i += 1) {
        const op = ops[below(ops.length)]!;
        if (
          op === Op.ERASE_FLASH ||
          op === Op.RUN_USER_CODE ||
          op === Op.FLASH_END ||
          op === Op.FLASH_DEFL_END
        )
          continue;
        const data = chance() < 0.7 ? encodeWords(word(), word(), word(), word()) : randomBytes(below(64));
        const packet = encodeRequest({ op, data: chance() < 0.1 ? syncData() : data, checksum: 0xef });
        const answers = client.raw(chance() < 0.9 ? encodeSlip(packet) : packet);
        longest = Math.max(longest, ...answers.map((answer) => answer.length));
      }
    }, `seed ${seed}`);
    t.true(longest <= 0x4000, `seed ${seed}`);
  }
});
