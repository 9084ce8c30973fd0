// The records that the boards' C hands over: of a scan, of an address.

import test from "ava";
import { addressOf } from "../../../../firmware/device/sdk/address-record.js";
import { RECORD_SIZE, ScanRecords } from "../../../../firmware/device/sdk/scan-record.js";
import { seededRandom } from "../../../support/random.js";

function record(ssid: string, rssi: number, lock: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_SIZE);
  bytes[0] = ssid.length;
  bytes.set(Buffer.from(ssid, "latin1"), 1);
  bytes.set([1, 2, 3, 4, 5, 6], 33);
  bytes[39] = 11;
  bytes[40] = rssi & 255;
  bytes[41] = lock;
  return bytes;
}

test("a scan's record has name, channel, signal and lock", (t) => {
  const list = new ScanRecords(Uint8Array.of(...record("one", -1, 0), ...record("caf\xe9\0", -71, 4)));
  t.is(list.length, 2);
  t.deepEqual(list.ssid(0), Uint8Array.of(0x6f, 0x6e, 0x65));
  t.deepEqual(list.ssid(1), Uint8Array.of(0x63, 0x61, 0x66, 0xe9, 0)); // bytes: neither UTF-8 nor ended by a zero
  t.deepEqual([list.channel(1), list.rssi(1), list.security(1)], [11, -71, "wpa2"]);
});

test("locks go by the chips' own numbers, and an unknown one is a lock", (t) => {
  const securities = [0, 1, 2, 3, 4, 5, 6, 7, 99].map((lock) =>
    new ScanRecords(record("a", -1, lock)).security(0),
  );
  t.deepEqual(securities, ["open", "wep", "wpa", "wpa2", "wpa2", "wpa2", "wpa3", "wpa3", "wpa2"]);
});

test("impossible names and rests of records are left out, whatever the bytes", (t) => {
  const long = record("x", -1, 0);
  long[0] = 33;
  const list = new ScanRecords(Uint8Array.of(...long, ...record("y", -1, 0), 1, 2, 3));
  t.is(list.length, 1);
  t.deepEqual(list.ssid(0), Uint8Array.of(0x79));
  const random = seededRandom(5);
  for (let round = 0; round < 500; round += 1) {
    const bytes = random.bytes(random.below(200));
    const heard = new ScanRecords(bytes);
    for (let place = 0; place < heard.length; place += 1) {
      t.true(heard.ssid(place).length <= 32, `seed ${random.seed}`);
      t.true(heard.rssi(place) >= -128 && heard.rssi(place) <= 127);
    }
  }
});

test("an address record is five addresses, name servers only where there are any", (t) => {
  const bytes = Uint8Array.of(10, 0, 0, 2, 255, 0, 0, 0, 10, 0, 0, 1, 8, 8, 4, 4, 0, 0, 0, 0);
  t.deepEqual(addressOf(bytes), {
    address: "10.0.0.2",
    mask: "255.0.0.0",
    gateway: "10.0.0.1",
    dns: ["8.8.4.4"],
  });
  t.throws(() => addressOf(bytes.subarray(1)), { message: /20 bytes, got 19/ });
});
