// 100,000 seeded cases for each parser that hears a serial line or a terminal server: no crash, no hang, no silent acceptance.

import test from "ava";
import {
  CommandError,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  splitBody,
} from "../../../tools/esptool/command.js";
import { encodeSlip, SlipReader } from "../../../tools/esptool/slip.js";
import { escapeData, optionRequest, subnegotiation, TelnetReader } from "../../../tools/serial/telnet.js";
import { seeded } from "../../../tools/simulator/seeded.js";

Error.stackTraceLimit = 0; // half a million refusals: their stacks would take most of the time
const CASES = 100_000;
const LIMIT = 24; // bytes of a SLIP packet
const SEED = Number(process.env.BROOME_SEED ?? Date.now() % 1_000_000);

class Chance {
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = seeded(seed);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(most: number, special: readonly number[]): Uint8Array {
    return Uint8Array.from({ length: this.below(most + 1) }, () =>
      this.next() < 0.5 ? this.pick(special) : this.below(256),
    );
  }

  /** The stream in pieces of 1 to 7 bytes. */
  *pieces(stream: Uint8Array): Generator<Uint8Array> {
    for (let at = 0, size = 0; at < stream.length; at += size) {
      size = 1 + this.below(7);
      yield stream.subarray(at, at + size);
    }
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** SLIP by its definition, frame by frame (RFC 1055): what may come out of a stream. */
function slipPackets(stream: Uint8Array): string[] {
  const packets: string[] = [];
  let frame: number[] | undefined;
  for (const byte of stream) {
    if (byte !== 0xc0) frame?.push(byte);
    else if (frame === undefined) frame = [];
    else if (frame.length > 0) {
      const packet = unescaped(frame);
      if (packet !== undefined && packet.length <= LIMIT) packets.push(hex(packet));
      frame = undefined;
    }
  }
  return packets;
}

function unescaped(frame: readonly number[]): Uint8Array | undefined {
  const text = hex(Uint8Array.from(frame)).replace(/../g, "$& ");
  const plain = text.replaceAll("db dc ", "C0 ").replaceAll("db dd ", "DB ");
  return /db/.test(plain) ? undefined : Uint8Array.from(Buffer.from(plain.replaceAll(" ", ""), "hex"));
}

test(`SLIP: ${CASES} streams of frames, damaged frames and noise`, (t) => {
  const chance = new Chance(SEED);
  const special = [0xc0, 0xdb, 0xdc, 0xdd];
  for (let i = 0; i < CASES; i += 1) {
    const parts = Array.from({ length: 1 + chance.below(3) }, () => {
      const packet = chance.bytes(LIMIT + 2, special);
      if (chance.below(3) === 0) return packet; // noise
      const frame = encodeSlip(packet);
      if (chance.below(2) === 0) frame[chance.below(frame.length)] = chance.below(256);
      return frame;
    });
    const stream = new Uint8Array(Buffer.concat(parts));
    const packets: string[] = [];
    const slip = new SlipReader(LIMIT, { onPacket: (packet) => packets.push(hex(packet)) });
    for (const piece of chance.pieces(stream)) slip.push(piece);
    const expected = slipPackets(stream).join();
    if (packets.join() !== expected)
      t.fail(`seed ${SEED}, case ${i}, stream ${hex(stream)}: ${packets.join()}`);
  }
  t.pass();
});

for (const [name, decode, encode] of [
  ["responses", decodeResponse, encodeResponse],
  [
    "requests",
    (packet: Uint8Array) => decodeRequest(packet) as never,
    (request: unknown) => encodeRequest(request as never),
  ],
] as const) {
  test(`${name}: ${CASES} packets, whole, damaged and random, are refused or mean what they say`, (t) => {
    const chance = new Chance(SEED);
    let accepted = 0;
    for (let i = 0; i < CASES; i += 1) {
      const packet = chance.bytes(40, [0, 1, 2, 8]);
      if (packet.length > 4 && chance.below(3) > 0)
        packet.set([name === "requests" ? 0 : 1, 8, packet.length - 8, 0]);
      try {
        const again = encode(decode(packet) as never);
        accepted += 1;
        const same = hex(packet).startsWith(hex(again));
        const size = packet[2]! + packet[3]! * 256 + 8;
        if (!same || again.length !== size)
          t.fail(`seed ${SEED}, case ${i}: ${hex(packet)} became ${hex(again)}`);
      } catch (error) {
        if (!(error instanceof CommandError)) t.fail(`seed ${SEED}, case ${i}, ${hex(packet)}: ${error}`);
      }
    }
    t.true(accepted > CASES / 10, `${accepted} accepted`);
  });
}

test(`status: ${CASES} bodies; success is said by zeros alone`, (t) => {
  const chance = new Chance(SEED);
  for (let i = 0; i < CASES; i += 1) {
    const body = chance.bytes(40, [0, 1]);
    const dataLength = chance.pick([0, 16, 20, 32]);
    try {
      const { data, reason } = splitBody(body, dataLength);
      const isSuccess = reason === undefined;
      const status = body[isSuccess || body.length >= dataLength + 2 ? dataLength : 0];
      const fits = isSuccess ? status === 0 && hex(data) === hex(body.subarray(0, dataLength)) : status !== 0;
      if (!fits) t.fail(`seed ${SEED}, case ${i}: ${hex(body)} with ${dataLength} bytes: ${reason}`);
    } catch (error) {
      if (!(error instanceof CommandError)) t.fail(`seed ${SEED}, case ${i}, ${hex(body)}: ${error}`);
    }
  }
  t.pass();
});

interface Heard {
  readonly events: string[];
  readonly reader: TelnetReader;
}

/** Data as it comes, byte by byte; options and subnegotiations as they are. */
function listening(): Heard {
  const events: string[] = [];
  const reader = new TelnetReader({
    onData: (bytes) => events.push(...[...bytes].map((byte) => `data ${byte}`)),
    onOption: (verb, option) => events.push(`option ${verb} ${option}`),
    onSubnegotiation: (option, payload) => events.push(`sub ${option} ${hex(payload)}`),
  });
  return { events, reader };
}

test(`RFC 2217: ${CASES} streams of data, options and subnegotiations come apart as they were put together`, (t) => {
  const chance = new Chance(SEED);
  for (let i = 0; i < CASES; i += 1) {
    const expected: string[] = [];
    const parts = Array.from({ length: 1 + chance.below(4) }, () => {
      const bytes = chance.bytes(8, [255, 250, 240, 44]);
      switch (chance.below(3)) {
        case 0:
          expected.push(...[...bytes].map((byte) => `data ${byte}`));
          return escapeData(bytes);
        case 1: {
          const [verb, option] = [251 + chance.below(4), chance.below(256)];
          expected.push(`option ${verb} ${option}`);
          return optionRequest(verb, option);
        }
        default:
          expected.push(`sub 44 ${hex(bytes)}`);
          return subnegotiation(44, bytes);
      }
    });
    const { events, reader } = listening();
    const stream = new Uint8Array(Buffer.concat(parts));
    for (const piece of chance.pieces(stream)) reader.push(piece);
    if (events.join() !== expected.join())
      t.fail(`seed ${SEED}, case ${i}, ${hex(stream)}: ${events.join()}`);
  }
  t.pass();
});

test(`RFC 2217: ${CASES} streams of nonsense mean the same however they are cut, and nothing grows`, (t) => {
  const chance = new Chance(SEED);
  for (let i = 0; i < CASES; i += 1) {
    const stream = chance.bytes(30, [255, 255, 250, 240, 253, 44]);
    const [whole, cut] = [listening(), listening()];
    whole.reader.push(stream);
    for (const piece of chance.pieces(stream)) cut.reader.push(piece);
    const same = whole.events.join() === cut.events.join();
    if (!same || whole.events.length > stream.length)
      t.fail(`seed ${SEED}, case ${i}, ${hex(stream)}: ${whole.events.join()} or ${cut.events.join()}`);
  }
  t.pass();
});
