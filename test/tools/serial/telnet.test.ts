// Telnet framing: escapes, options, subnegotiations, however the stream is cut, whatever nonsense it holds.

import test from "ava";
import { comPortCommand, decodeBaudRate, encodeBaudRate } from "../../../tools/serial/com-port.js";
import { escapeData, optionRequest, subnegotiation, TelnetReader } from "../../../tools/serial/telnet.js";
import { seeded } from "../../../tools/simulator/seeded.js";

function reader() {
  const heard = { data: [] as number[], options: [] as number[][], subs: [] as number[][] };
  const telnet = new TelnetReader({
    onData: (bytes) => heard.data.push(...bytes),
    onOption: (verb, option) => heard.options.push([verb, option]),
    onSubnegotiation: (option, payload) => heard.subs.push([option, ...payload]),
  });
  return { telnet, heard };
}

test("data, options and subnegotiations come apart even a byte at a time", (t) => {
  const { telnet, heard } = reader();
  const stream = Buffer.concat([
    escapeData(Uint8Array.of(1, 255, 2)),
    optionRequest(253, 44),
    subnegotiation(44, Uint8Array.of(1, 255, 240)),
    Uint8Array.of(255, 241, 3), // NOP
  ]);
  for (const byte of stream) telnet.push(Uint8Array.of(byte));
  t.deepEqual(heard, { data: [1, 255, 2, 3], options: [[253, 44]], subs: [[44, 1, 255, 240]] });
});

test("the baud rate travels big-endian (RFC 2217, SET-BAUDRATE)", (t) => {
  const command = comPortCommand(1, encodeBaudRate(115200));
  t.deepEqual([...command], [255, 250, 44, 1, 0x00, 0x01, 0xc2, 0x00, 255, 240]);
  t.is(decodeBaudRate(encodeBaudRate(4_000_000_000)), 4_000_000_000);
  t.is(decodeBaudRate(Uint8Array.of(1, 2, 3)), undefined);
});

test("a subnegotiation without end is bounded, cut off by a command, and dropped when too long", (t) => {
  const { telnet, heard } = reader();
  telnet.push(Uint8Array.of(255, 250, 44, ...new Array<number>(1000).fill(7), 255, 240, 5));
  telnet.push(Uint8Array.of(255, 250, 44, 1, 255, 253, 44, 6));
  t.deepEqual(heard, { data: [5, 6], options: [[253, 44]], subs: [] });
});

test("data survives any cut; random bytes never throw", (t) => {
  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  const below = (n: number) => Math.floor(chance() * n);
  const data = Uint8Array.from({ length: 5000 }, () => (chance() < 0.3 ? 255 : below(256)));
  const { telnet, heard } = reader();
  const stream = escapeData(data);
  for (let at = 0, size = 0; at < stream.length; at += size) {
    size = 1 + below(9);
    telnet.push(stream.subarray(at, at + size));
  }
  t.deepEqual(Uint8Array.from(heard.data), data, `seed ${seed}`);
  const noise = reader();
  t.notThrows(() => {
    for (let i = 0; i < 200; i += 1) {
      noise.telnet.push(
        Uint8Array.from({ length: 50 }, () => [255, 250, 240, 253, 44, below(256)][below(6)]!),
      );
    }
  }, `seed ${seed}`);
  t.true(noise.heard.subs.every((sub) => sub.length <= 257));
});
