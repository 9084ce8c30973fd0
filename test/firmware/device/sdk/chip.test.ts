// What the chips share besides radio and crypto: reset causes, flash regions, pins.

import test from "ava";
import { NorRegion, type SdkFlash } from "../../../../firmware/device/sdk/nor-region.js";
import { Pins } from "../../../../firmware/device/sdk/pins.js";
import { esp32ResetCause, esp8266ResetCause } from "../../../../firmware/device/sdk/reset-causes.js";

test("every raw reset cause has a word, those that are not known too", (t) => {
  t.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, -1, 99].map(esp32ResetCause), [
    ...["power-on", "external", "software", "exception", "watchdog", "watchdog", "watchdog"],
    ...["deep-sleep", "brownout", "external", "exception", "unknown", "unknown", "unknown"],
  ] as never);
  t.deepEqual([0, 1, 2, 3, 4, 5, 6, 7].map(esp8266ResetCause), [
    ...["power-on", "watchdog", "exception", "watchdog", "software", "deep-sleep", "external", "unknown"],
  ] as never);
});

/** NOR as the SDK's `flash` gives it: clears bits without a word, and takes whole ArrayBuffers. */
class Nor implements SdkFlash {
  readonly blockSize = 4096;
  readonly byteLength: number;
  readonly bytes: Uint8Array;

  constructor(sectors: number) {
    this.byteLength = sectors * this.blockSize;
    this.bytes = new Uint8Array(this.byteLength).fill(0xff);
  }

  erase(sector: number): void {
    this.bytes.fill(0xff, sector * this.blockSize, (sector + 1) * this.blockSize);
  }

  read(offset: number, byteLength: number): ArrayBuffer {
    return this.bytes.slice(offset, offset + byteLength).buffer;
  }

  write(offset: number, byteLength: number, bytes: ArrayBuffer): void {
    new Uint8Array(bytes, 0, byteLength).forEach((byte, i) => (this.bytes[offset + i]! &= byte));
  }
}

test("a region is strict NOR: what was not erased is refused, and nothing of it is written", (t) => {
  const nor = new Nor(4);
  const region = new NorRegion(nor);
  region.write(4094, Uint8Array.of(0xf0, 1, 2));
  region.write(4094, Uint8Array.of(0x30));
  t.throws(() => region.write(4093, Uint8Array.of(0, 0x31)), { code: "flash-not-erased", message: /4094/ });
  t.is(nor.bytes[4093], 0xff);
  t.deepEqual(region.read(4093, 5), Uint8Array.of(0xff, 0x30, 1, 2, 0xff));
  region.eraseSector(0);
  t.deepEqual(region.read(4094, 3), Uint8Array.of(0xff, 0xff, 2));
  region.write(0, Uint8Array.of(9, 9, 9).subarray(1, 2)); // of a larger buffer, that byte alone
  t.deepEqual(region.read(0, 2), Uint8Array.of(9, 0xff));
  t.deepEqual(region.read(4096 * 4, 0), new Uint8Array(0));
});

test("a region ends where it is told to, and the running slot is not written", (t) => {
  const part = new NorRegion(new Nor(4), { size: 8192 });
  t.is(part.size, 8192);
  for (const beyond of [
    () => part.read(8190, 3),
    () => part.read(-1, 1),
    () => part.read(0.5, 1),
    () => part.write(8192, Uint8Array.of(1)),
    () => part.eraseSector(2),
    () => part.eraseSector(-1),
  ])
    t.throws(beyond, { code: "out-of-range" });
  t.throws(() => new NorRegion(new Nor(1), { size: 8192 }), { code: "flash-too-small" });
  t.throws(() => new NorRegion(new Nor(2), { offset: 12288 }), { code: "flash-too-small" });
  const running = new NorRegion(new Nor(1), { readOnly: true });
  t.throws(() => running.write(0, Uint8Array.of(1)), { code: "read-only" });
  t.throws(() => running.eraseSector(0), { code: "read-only" });
  t.is(running.read(0, 1)[0], 0xff);
});

test("a region that begins within its partition touches nothing before it and nothing behind it", (t) => {
  const nor = new Nor(4);
  nor.bytes.fill(7);
  const region = new NorRegion(nor, { offset: 4096, size: 8192 });
  t.is(region.size, 8192);
  region.eraseSector(0);
  region.eraseSector(1);
  region.write(0, Uint8Array.of(1));
  region.write(8191, Uint8Array.of(2));
  t.deepEqual([region.read(0, 2), region.read(8191, 1)], [Uint8Array.of(1, 0xff), Uint8Array.of(2)]);
  t.deepEqual(
    [4095, 4096, 4097, 12287, 12288].map((at) => nor.bytes[at]),
    [7, 1, 0xff, 2, 7],
  );
  for (const beyond of [() => region.eraseSector(2), () => region.write(8192, Uint8Array.of(0))])
    t.throws(beyond, { code: "out-of-range" });
});

test("a pin is opened once for each use, and closed before it is used the other way", (t) => {
  const log: string[] = [];
  class Digital {
    static readonly InputPullUp = 1;
    static readonly Output = 8;
    private readonly pin: number;

    constructor({ pin, mode }: { pin: number; mode: number }) {
      this.pin = pin;
      log.push(`open ${pin} ${mode}`);
    }

    read(): number {
      return this.pin === 9 ? 0 : 1;
    }

    write(value: number): void {
      log.push(`write ${this.pin} ${value}`);
    }

    close(): void {
      log.push(`close ${this.pin}`);
    }
  }
  const pins = new Pins(Digital);
  pins.write(2, true);
  pins.write(2, false);
  t.false(pins.read(9));
  t.false(pins.read(9));
  t.true(pins.read(2));
  t.deepEqual(log, ["open 2 8", "write 2 1", "write 2 0", "open 9 1", "close 2", "open 2 1"]);
});
