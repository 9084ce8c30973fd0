// Fuzz of what comes over serial lines and telnet: SLIP, responses, RFC 2217. Cut into other pieces, a stream means the same.

import {
  CommandError,
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  encodeStatus,
  encodeStubStatus,
  splitBody,
} from "../../tools/esptool/command.js";
import { encodeSlip, SlipReader } from "../../tools/esptool/slip.js";
import { comPortCommand, encodeBaudRate } from "../../tools/serial/com-port.js";
import { escapeData, optionRequest, TelnetReader } from "../../tools/serial/telnet.js";
import { damage, pick } from "../support/damage.js";
import type { Random } from "../support/random.js";
import { accepted, must, type Fuzz } from "./fuzz.js";

const SLIP_LIMIT = 64;

/** Pushes a stream whole, and again in pieces of 0 to 7 bytes. */
function bothWays<T>(random: Random, stream: Uint8Array, read: (pieces: Uint8Array[]) => T): [T, T] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const length = random.below(8);
    pieces.push(stream.subarray(at, at + length));
    at += length;
  }
  return [read([stream]), read(pieces)];
}

export const slip: Fuzz = {
  name: "SLIP",
  try(random) {
    const frames = Array.from({ length: 1 + random.below(4) }, () =>
      encodeSlip(random.bytes(random.below(40))),
    );
    const noise = () =>
      Uint8Array.from(random.bytes(random.below(10)), (byte) => pick(random, [byte, 0xc0, 0xdb]));
    const stream = damage(random, new Uint8Array(Buffer.concat(frames.flatMap((frame) => [noise(), frame]))));
    const [whole, cut] = bothWays(random, stream, (pieces) => {
      const packets: Uint8Array[] = [];
      const reader = new SlipReader(SLIP_LIMIT, { onPacket: (packet) => packets.push(packet.slice()) });
      for (const piece of pieces) reader.push(piece);
      return { packets, dropped: reader.dropped };
    });
    for (const packet of whole.packets) {
      must(packet.length > 0 && packet.length <= SLIP_LIMIT, "a packet beyond the limit");
      must(
        Buffer.from(stream).includes(Buffer.from(encodeSlip(packet))),
        "a packet that is not in the stream",
      );
    }
    must(Buffer.concat(whole.packets).equals(Buffer.concat(cut.packets)), "another reading in pieces");
    must(
      whole.packets.length === cut.packets.length && whole.dropped === cut.dropped,
      "another count in pieces",
    );
  },
};

const refusesCommand = (error: unknown) => error instanceof CommandError;

export const response: Fuzz = {
  name: "response",
  try(random) {
    const reason = pick(random, [undefined, 5, 7]);
    const status =
      random.below(2) === 0 ? encodeStatus(4, reason) : encodeStubStatus(reason && 0xc0 + reason);
    const body = new Uint8Array([...random.bytes(random.below(70)), ...status]);
    const packet = damage(
      random,
      encodeResponse({ op: random.below(256), value: random.below(2 ** 32), body }),
    );
    const read = accepted(() => decodeResponse(packet), refusesCommand);
    if (read !== undefined) {
      const again = encodeResponse(read);
      must(again.length <= packet.length, "more than there was");
      must(Buffer.from(packet.subarray(0, again.length)).equals(again), "other bytes than there were");
      const wanted = random.below(72);
      const outcome = accepted(() => splitBody(read.body, wanted), refusesCommand);
      if (outcome !== undefined && outcome.reason === undefined) {
        must(outcome.data.length === wanted, "another length than asked for");
        must(read.body[wanted] === 0, "a refusal was taken for success");
      }
    }
    const request = damage(
      random,
      encodeRequest({ op: 3, data: random.bytes(random.below(60)), checksum: 1 }),
    );
    const asked = accepted(() => decodeRequest(request), refusesCommand);
    must(asked === undefined || Buffer.from(encodeRequest(asked)).equals(request), "another request");
  },
};

export const telnet: Fuzz = {
  name: "RFC 2217",
  try(random) {
    const part = () =>
      pick(random, [
        () => escapeData(random.bytes(random.below(30))),
        () => optionRequest(251 + random.below(4), pick(random, [0, 3, 44, 200])),
        () => comPortCommand(random.below(13), encodeBaudRate(random.below(2 ** 32))),
        () => comPortCommand(100, random.bytes(random.below(300))),
      ])();
    const parts = Array.from({ length: 1 + random.below(5) }, part);
    const stream = damage(random, new Uint8Array(Buffer.concat(parts)));
    const [whole, cut] = bothWays(random, stream, (pieces) => {
      const data: Uint8Array[] = [];
      const events: string[] = [];
      const reader = new TelnetReader({
        onData: (bytes) => void data.push(bytes.slice()),
        onOption: (verb, option) => void events.push(`${verb} ${option}`),
        onSubnegotiation(option, payload) {
          must(payload.length <= 256, "a subnegotiation beyond its bound");
          events.push(`${option} ${Buffer.from(payload).toString("hex")}`);
        },
      });
      for (const piece of pieces) reader.push(piece);
      return { data: Buffer.concat(data).toString("hex"), events: events.join() };
    });
    must(whole.data.length / 2 <= stream.length, "more data than there was");
    must(whole.data === cut.data && whole.events === cut.events, "another reading in pieces");
  },
};
