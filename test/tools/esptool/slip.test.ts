// SLIP: what comes out is what went in, whatever lies between and however it is cut up.

import test from "ava";
import { encodeSlip, SlipReader } from "../../../tools/esptool/slip.js";
import { seeded } from "../../../tools/simulator/seeded.js";

const bytes = (...values: number[]) => Uint8Array.from(values);

function reader(limit = 64) {
  const packets: Uint8Array[] = [];
  const stray: number[] = [];
  const slip = new SlipReader(limit, {
    onPacket: (packet) => packets.push(packet),
    onStray: (chunk) => stray.push(...chunk),
  });
  return { slip, packets, stray };
}

test("END and ESC are escaped and come back", (t) => {
  const packet = bytes(0x01, 0xc0, 0x02, 0xdb, 0xdc, 0xdd, 0xc0);
  const frame = encodeSlip(packet);
  t.deepEqual(frame, bytes(0xc0, 1, 0xdb, 0xdc, 2, 0xdb, 0xdd, 0xdc, 0xdd, 0xdb, 0xdc, 0xc0));
  const { slip, packets } = reader();
  slip.push(frame);
  t.deepEqual(packets, [packet]);
});

test("text between frames is reported as stray, frames are found behind it", (t) => {
  const { slip, packets, stray } = reader();
  slip.push(bytes(0x62, 0x6f, ...encodeSlip(bytes(1)), 0x6f, 0x74, ...encodeSlip(bytes(2)), 0x21));
  t.deepEqual(packets, [bytes(1), bytes(2)]);
  t.deepEqual(stray, [0x62, 0x6f, 0x6f, 0x74, 0x21]);
});

test("a frame cut off by a dead sender costs at most the next one", (t) => {
  const { slip, packets } = reader();
  slip.push(bytes(0xc0, 7, 7)); // killed here
  for (let i = 0; i < 3; i += 1) slip.push(encodeSlip(bytes(1, 2, 3)));
  t.deepEqual(packets.slice(-2), [bytes(1, 2, 3), bytes(1, 2, 3)]);
});

for (const [name, garbage] of [
  ["a bad escape", [0xc0, 1, 0xdb, 0x01, 2, 0xc0]],
  ["an escape right before the end", [0xc0, 1, 0xdb, 0xc0]],
  ["a frame over the limit", [0xc0, ...new Array<number>(65).fill(1), 0xc0]],
] as const) {
  test(`${name} is dropped whole and the next frame arrives`, (t) => {
    const { slip, packets } = reader(64);
    slip.push(bytes(...garbage));
    slip.push(encodeSlip(bytes(9)));
    t.deepEqual(packets, [bytes(9)]);
    t.is(slip.dropped, 1);
  });
}

test("a frame of exactly the limit passes", (t) => {
  const { slip, packets } = reader(64);
  slip.push(encodeSlip(new Uint8Array(64).fill(0xc0)));
  t.is(packets[0]?.length, 64);
});

test("reset forgets a frame that has begun", (t) => {
  const { slip, packets, stray } = reader();
  slip.push(bytes(0xc0, 1, 2));
  slip.reset();
  slip.push(bytes(5, 0xc0, 3, 0xc0));
  t.deepEqual(packets, [bytes(3)]);
  t.deepEqual(stray, [5]);
});

test("random packets survive random cuts of the stream; random bytes never hold more than the limit", (t) => {
  const seed = Date.now() % 1_000_000;
  const chance = seeded(seed);
  const below = (n: number) => Math.floor(chance() * n);
  const sent: Uint8Array[] = [];
  const stream: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    const packet = Uint8Array.from(
      { length: 1 + below(60) },
      () => [0xc0, 0xdb, 0xdc, 0xdd, below(256)][below(5)]!,
    );
    sent.push(packet);
    stream.push(...encodeSlip(packet));
  }
  const { slip, packets } = reader(64);
  for (let at = 0; at < stream.length;) {
    const size = 1 + below(90);
    slip.push(bytes(...stream.slice(at, at + size)));
    at += size;
  }
  t.deepEqual(packets, sent, `seed ${seed}`);

  const noise = reader(64);
  for (let i = 0; i < 300; i += 1) noise.slip.push(Uint8Array.from({ length: 200 }, () => below(256)));
  t.true(
    noise.packets.every((packet) => packet.length >= 1 && packet.length <= 64),
    `seed ${seed}`,
  );
});
