// Improv over serial: frames as improv-wifi-serial-sdk 2.8.1 writes and reads them, text in between, and anything else at all.

import test from "ava";
import {
  Command,
  encodeFrame,
  encodeResult,
  FrameType,
  MAX_DATA,
  parseCredentials,
  parseRpc,
} from "../../../firmware/protocol/improv.js";
import { ImprovParser } from "../../../firmware/protocol/improv-parser.js";
import { seededRandom } from "../../support/random.js";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

/** What came out, in order: text as it came, frames as "<type:hex>", bad ones as "<bad>". */
function parse(...pieces: (Uint8Array | "idle")[]): string {
  let out = "";
  const parser = new ImprovParser({
    onText: (byte) => (out += String.fromCharCode(byte)),
    onFrame: (type, data) => (out += `<${type}:${Buffer.from(data).toString("hex")}>`),
    onBadFrame: () => (out += "<bad>"),
  });
  for (const piece of pieces) {
    if (piece === "idle") parser.idle();
    else for (const byte of piece) parser.push(byte);
  }
  return out;
}

const frame = (type: number, data: number[]) => encodeFrame(type, Uint8Array.from(data));
const state = frame(FrameType.rpc, [2, 0]);

test("a frame has the bytes of the specification", (t) => {
  // "Request current state" as https://www.improv-wifi.com/serial/ and the SDK's writePacketToStream make it
  t.is(Buffer.from(state).toString("hex"), "494d50524f56" + "01" + "03" + "02" + "0200" + "e5" + "0a");
  t.is(parse(state), "<3:0200>");
});

test("text around frames comes out as it came, and a frame's newline is nobody's Enter", (t) => {
  t.is(parse(bytes("ls\n"), state, bytes("\nIMPROVE I\n"), state), "ls\n<3:0200>\nIMPROVE I\n<3:0200>");
  t.is(parse(bytes("IIMPIMPROV"), bytes("\x02"), state), "IIMPIMPROV\x02<3:0200>");
});

test("what was held back is text when nothing follows, and half a frame is said to be bad", (t) => {
  t.is(parse(bytes("hI"), "idle", bytes("MPROV")), "hIMPROV");
  t.is(parse(state.subarray(0, 6), "idle", bytes("x")), "IMPROVx");
  t.is(parse(state.subarray(0, 10), "idle", bytes("x"), "idle"), "<bad>x");
});

test("a wrong checksum or length loses that frame only", (t) => {
  const wrong = state.slice();
  wrong[11]! ^= 1;
  t.is(parse(wrong, state), "<bad>\n<3:0200>");
  const cut = frame(FrameType.rpc, new Array<number>(60).fill(7)).subarray(0, 20);
  t.is(parse(cut, state, state, bytes("\n".repeat(40))), "<bad><3:0200><3:0200>" + "\n".repeat(16));
});

test("the longest frame is read, and the longest answer is bounded", (t) => {
  const data = Array.from({ length: MAX_DATA }, (_, i) => i);
  t.is(parse(frame(9, data)), `<9:${Buffer.from(data).toString("hex")}>`);
  t.throws(() => frame(1, [...data, 0]), { instanceOf: RangeError });
  const answer = encodeResult(3, [bytes("a".repeat(200)), bytes("b".repeat(60)), bytes("c")]);
  t.is(parse(answer).length, "<4:>".length + 2 * (2 + 201)); // the second does not fit, and what follows it is not sent either
});

for (const [what, payload, good] of [
  ["a name and a password", [2, 65, 66, 1, 67], true],
  ["an open network", [1, 65, 0], true],
  ["an empty name", [0, 0], true],
  ["nothing", [], false],
  ["no password", [1, 65], false],
  ["a name longer than the frame", [9, 65, 0], false],
  ["a password longer than the frame", [1, 65, 2, 66], false],
  ["bytes left over", [1, 65, 0, 0], false],
] as const)
  test(`credentials: ${what} ${good ? "is read" : "is refused"}`, (t) => {
    const { ssid, password } = parseCredentials(Uint8Array.from(payload)) ?? {};
    if (good) t.deepEqual([payload[0], ...ssid!, password!.length, ...password!], [...payload]);
    else t.is(ssid, undefined);
  });

test("an RPC whose inner length is wrong is none", (t) => {
  t.is(parseRpc(Uint8Array.of(2)), undefined);
  t.is(parseRpc(Uint8Array.of(2, 1)), undefined);
  t.is(parseRpc(Uint8Array.of(2, 0, 0)), undefined);
  t.is(parseRpc(Uint8Array.of(1, 2, 3, 4))?.command, Command.sendWifi);
});

test("100,000 cases of noise, damage, cuts and frames: every undamaged frame is found, no byte of text is lost", (t) => {
  const random = seededRandom(20260301);
  t.log(`seed ${random.seed}`);
  const damaged = (part: Uint8Array) => {
    const copy = part.slice(0, 1 + random.below(part.length));
    copy[random.below(copy.length)] = random.below(256);
    return copy;
  };
  let frames = 0;
  for (let i = 0; i < 100_000; i += 1) {
    const data = random.bytes(random.below(random.below(8) === 0 ? MAX_DATA + 1 : 12));
    const good = encodeFrame(random.below(256), data);
    const wanted = `<${good[7]}:${Buffer.from(data).toString("hex")}>`;
    const kind = random.below(3);
    const text = bytes("Hi IMPR ".repeat(random.below(3)));
    const before = kind === 0 ? text : kind === 1 ? random.bytes(random.below(40)) : damaged(good);
    const out = parse(before, "idle", good, "idle");
    if (!out.endsWith(wanted)) return t.fail(`seed ${random.seed}, case ${i}: ${out}, wanted ${wanted}`);
    if (kind === 0)
      t.is(out, Buffer.from(text).toString("latin1") + wanted, `seed ${random.seed}, case ${i}`);
    frames += 1;
  }
  t.is(frames, 100_000);
});
