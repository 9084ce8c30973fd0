// How much of a row of commands may be on its way before the first of them is answered.

import test from "ava";
import { encodeRequest, Op, type Request } from "../../../tools/esptool/command.js";
import { FrameStream } from "../../../tools/esptool/frame-stream.js";
import { encodeSlip } from "../../../tools/esptool/slip.js";
import { seeded } from "../../../tools/simulator/seeded.js";

const request = (length: number): Request => ({ op: Op.MEM_DATA, data: new Uint8Array(length), checksum: 0 });
const wire = (requests: Request[]) => requests.map((each) => encodeSlip(encodeRequest(each)));

test("behind a frame that is not answered as many bytes go as the window says, of the next frame too", (t) => {
  const requests = [request(1000), request(1000), request(1000)];
  const stream = new FrameStream(requests, { frames: 4, bytes: 120 });
  t.is(stream.take(0).length, 1010 + 120);
  t.is(stream.take(0).length, 0, "nothing twice");
  t.is(stream.take(1).length, 1010 - 120 + 120);
  t.is(stream.take(2).length, 1010 - 120);
});

test("small commands fill the window, up to its frames", (t) => {
  const requests = [1, 2, 3, 4, 5, 6].map(() => request(16)); // 26 bytes on the wire
  t.is(new FrameStream(requests, { frames: 6, bytes: 60 }).take(0).length, 26 + 60);
  t.is(new FrameStream(requests, { frames: 3, bytes: 1000 }).take(0).length, 3 * 26);
  t.is(new FrameStream(requests, { frames: 2, bytes: 1000 }).take(0, 1).length, 26, "the first one alone");
});

test("whatever the window, the frames leave whole, in order and once; never more than allowed", (t) => {
  const seed = Number(process.env.SEED ?? 27);
  t.log(`seed ${seed}`);
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < 300; round += 1) {
    const requests = Array.from({ length: 1 + below(12) }, () => request(below(300)));
    const frames = wire(requests);
    const window = { frames: 1 + below(5), bytes: below(400) };
    const stream = new FrameStream(requests, window);
    const out: number[] = [];
    for (let answered = 0; answered < requests.length; answered += 1) {
      out.push(...stream.take(answered));
      if (random() < 0.5) stream.prepare(answered + 1);
      const end = frames.slice(0, answered + 1).reduce((sum, { length }) => sum + length, 0);
      t.true(
        out.length >= end && out.length <= end + window.bytes,
        `${out.length} of ${end}, ${JSON.stringify(window)}`,
      );
    }
    t.deepEqual(Uint8Array.from(out), new Uint8Array(Buffer.concat(frames)));
  }
});
