import test from "ava";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PcapWriter, readStreams } from "../../../tools/simulator/pcap.js";

const device = { address: "192.168.4.7", port: 50_001 };
const server = { address: "192.168.4.1", port: 3000 };

function capture(): string {
  return join(mkdtempSync(join(tmpdir(), "broome-pcap-")), "wire.pcap");
}

test("what was sent and received comes out of the capture in order, connection by connection", (t) => {
  const path = capture();
  const writer = new PcapWriter(path);
  const big = new Uint8Array(5_000).map((_, index) => index & 0xff);
  const one = writer.open(device, server);
  one.sent(Buffer.from("GET / "));
  const two = writer.open({ ...device, port: 50_002 }, server);
  two.sent(Buffer.from("second"));
  one.sent(Buffer.from("HTTP/1.1"));
  one.received(big);
  one.closed();
  writer.open(device, server).sent(Buffer.from("same port again"));
  writer.close();
  writer.close();
  const streams = readStreams(readFileSync(path));
  const said = (from: string) =>
    streams.filter((stream) => stream.from === from).map(({ bytes }) => Buffer.from(bytes));
  t.deepEqual(said("192.168.4.7:50001").map(String), ["GET / HTTP/1.1", "same port again"]);
  t.deepEqual(said("192.168.4.7:50002").map(String), ["second"]);
  t.deepEqual(said("192.168.4.1:3000")[0], Buffer.from(big));
});

test("the packets have the checksums that RFC 791 and RFC 9293 ask for", (t) => {
  const path = capture();
  const writer = new PcapWriter(path);
  writer.open(device, server).sent(Buffer.from("odd"));
  writer.close();
  const file = readFileSync(path);
  const sum = (bytes: Buffer) => {
    let total = 0;
    for (let at = 0; at < bytes.length; at += 2) total += (bytes[at]! << 8) + (bytes[at + 1] ?? 0);
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
    return total;
  };
  let packets = 0;
  for (let at = 24; at < file.length; packets += 1) {
    const length = file.readUInt32LE(at + 8);
    const packet = file.subarray(at + 16, at + 16 + length);
    t.is(sum(packet.subarray(0, 20)), 0xffff);
    const pseudo = Buffer.concat([
      packet.subarray(12, 20),
      Buffer.from([0, 6, 0, length - 20]),
      packet.subarray(20),
    ]);
    t.is(sum(pseudo), 0xffff);
    at += 16 + length;
  }
  t.is(packets, 4);
});

test("a file that is no capture is refused by name; one cut short gives what is whole", (t) => {
  t.throws(() => readStreams(Buffer.from("not a capture, not a capture")), { code: "capture-corrupt" });
  const path = capture();
  const writer = new PcapWriter(path);
  writer.open(device, server).sent(Buffer.from("whole"));
  writer.close();
  const file = readFileSync(path);
  for (let length = 24; length < file.length; length += 1) {
    const said = readStreams(file.subarray(0, length))
      .map(({ bytes }) => String(Buffer.from(bytes)))
      .join("");
    t.true(said === "" || said === "whole");
  }
});
