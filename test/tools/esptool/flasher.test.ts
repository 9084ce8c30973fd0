// The flasher against the virtual ROM over real ports: what is written, what is skipped, what goes wrong and how it says so.

import test, { type ExecutionContext } from "ava";
import { randomBytes } from "node:crypto";
import {
  encodeOtaEntry,
  OTA_ABORTED,
  OTA_PENDING_VERIFY,
  OTA_VALID,
} from "../../../firmware/format/otadata.js";
import { blankDefaults, encodeDefaults } from "../../../firmware/format/defaults-block.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { allChips } from "../../../tools/chips/registry.js";
import { Op } from "../../../tools/esptool/command.js";
import { flash, type FlashOptions } from "../../../tools/esptool/flasher.js";
import { identityText } from "../../../tools/esptool/identity.js";
import { Loader } from "../../../tools/esptool/loader.js";
import { selectsFirstSlot } from "../../../tools/esptool/otadata-check.js";
import { readFlash } from "../../../tools/esptool/read-flash.js";
import type { Region } from "../../../tools/esptool/regions.js";
import { noReset } from "../../../tools/esptool/reset.js";
import { startStub } from "../../../tools/esptool/stub.js";
import { openPort } from "../../../tools/serial/open.js";
import type { SerialPort } from "../../../tools/serial/port.js";
import { code, until } from "../../contract/serial-port.js";
import { codecs, stubFor } from "../../../tools/node-flasher.js";
import { Rig } from "./rig.js";

interface Attempt extends Partial<FlashOptions> {
  port?: string;
  signal?: AbortSignal;
}

async function write(t: ExecutionContext, rig: Rig, regions: Region[], attempt: Attempt = {}) {
  const { port: name = rig.ports.rfc2217, signal, ...options } = attempt;
  const port: SerialPort = await openPort(name, { baudRate: 115200 });
  const loader = new Loader({ port, chips: allChips(), ...(signal && { signal }) });
  try {
    return await flash(loader, { regions, codecs, ...options });
  } finally {
    loader.close();
    await port.close();
    await until(() => !rig.ports.uart.connected);
  }
}

const region = (offset: number, data: Uint8Array, name = "app.bin"): Region => ({ offset, data, name });
/** Half text, half noise: compresses about as a firmware does. */
const image = (size: number) =>
  new Uint8Array(Buffer.concat([Buffer.alloc(size >> 1, "firmware "), randomBytes(size - (size >> 1))]));

function holds(t: ExecutionContext, rig: Rig, { offset, data }: Region): void {
  t.true(Buffer.from(rig.flash.read(offset, data.length)).equals(data), `flash at 0x${offset.toString(16)}`);
}

test("regions are written, verified, and the app runs afterwards", async (t) => {
  const rig = await Rig.open(t);
  const regions = [
    region(0x8000, image(3072)),
    region(0xe000, new Uint8Array(8192).fill(0xff)),
    region(0x10000, image(150_001)),
  ];
  const seen: number[] = [];
  const result = await write(t, rig, regions, { onProgress: (done) => seen.push(done) });
  for (const each of regions) holds(t, rig, each);
  t.true(result.verified);
  t.is(result.bytesWritten, 3072 + 150_001);
  t.is(result.skipped, 8192, "erased flash holds the blank otadata already");
  t.is(result.sectorsErased, 1 + 37);
  t.true(result.bytesOnWire > 75_000 && result.bytesOnWire < 110_000, String(result.bytesOnWire));
  t.is(result.flashSize, 0x400000);
  t.is(seen.at(-1), 3072 + 8192 + 150_001);
  t.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
    "progress never goes back",
  );
  await until(() => rig.starts.at(-1) === "app");
  t.deepEqual(rig.starts, ["app", "download", "app"]);
});

test("the identity block is esptool's", async (t) => {
  const rig = await Rig.open(t);
  const { identity } = await write(t, rig, []);
  t.is(
    identityText(identity),
    [
      "Chip type:          ESP32-C3 (QFN32) (revision v0.4)",
      "Features:           Wi-Fi, BT 5 (LE), Single Core, 160MHz",
      "Crystal frequency:  40MHz",
      "MAC:                02:11:22:33:44:55",
    ].join("\n"),
  );
  t.is(identity.revision, 4);
});

test("what was personalised is found without narrowing: the settings' sectors and the last one are asked for by themselves", async (t) => {
  const rig = await Rig.open(t);
  const data = image(300_000);
  data.set(blankDefaults(), 0x27f00); // in two sectors
  await write(t, rig, [region(0x10000, data)]);
  const personal = data.slice();
  personal.set(encodeDefaults({ "wifi.ssid": "home", "device.name": "x".repeat(500) }), 0x27f00);
  personal.set(randomBytes(33), personal.length - 33);
  const asked: number[] = [];
  rig.toRom = (bytes) => {
    for (let at = bytes.indexOf(0xc0); at >= 0; at = bytes.indexOf(0xc0, at + 1))
      if (bytes[at + 1] === 0 && bytes[at + 2] === Op.SPI_FLASH_MD5) asked.push(at);
    return bytes;
  };
  const app = region(0x10000, personal);
  const result = await write(t, rig, [app]);
  holds(t, rig, app);
  t.is(result.sectorsErased, 3);
  const ranges = 3 + 2 + 3; // up to the settings, from there to the last sector in 64 KB, the three sectors
  t.is(asked.length, ranges + 2, "and the two stretches that were written");
});

test("a second time nothing is written; a small change writes only its sectors", async (t) => {
  const rig = await Rig.open(t);
  const app = region(0x10000, image(300_000));
  await write(t, rig, [app]);
  const again = await write(t, rig, [app]);
  t.is(again.bytesWritten, 0);
  t.is(again.sectorsErased, 0);
  t.is(again.skipped, 300_000);
  t.true(again.bytesOnWire < 3000, String(again.bytesOnWire));
  const patched = region(0x10000, app.data.slice());
  patched.data.set([1, 2, 3], 200_000);
  patched.data.set([1, 2, 3], 299_990);
  const third = await write(t, rig, [patched]);
  holds(t, rig, patched);
  t.is(third.bytesWritten, 4096 + (300_000 % 4096));
  t.is(third.sectorsErased, 2);
  t.is(third.bytesWritten + third.skipped, 300_000);
});

for (const kind of ["tcp", "rfc2217"] as const) {
  test(`${kind}: a board that is in download mode already is flashed`, async (t) => {
    const rig = await Rig.open(t);
    rig.start(true);
    const app = region(0x10000, image(20_000));
    await write(t, rig, [app], { port: rig.ports[kind] });
    holds(t, rig, app);
    await until(() => rig.starts.at(-1) === "app");
    t.is(rig.starts.at(-1), "app");
  });
}

for (const dialect of ["ROM", "stub"] as const) {
  test(`${dialect}: flash is read back`, async (t) => {
    const rig = await Rig.open(t);
    rig.start(true);
    const bytes = image(10_000);
    rig.flash.program(0x12345, bytes);
    const port = await openPort(rig.ports.rfc2217, { baudRate: 115200 });
    const loader = new Loader({ port, chips: allChips() });
    t.teardown(() => port.close());
    await loader.connect();
    await loader.attachFlash();
    if (dialect === "stub") {
      await startStub(loader, (await stubFor("esp32c3"))!);
      loader.close();
      const again = new Loader({ port, chips: allChips(), resets: [noReset] });
      await again.connect();
      t.deepEqual(await readFlash(again, 0x12345, bytes.length, codecs), bytes);
    } else {
      t.deepEqual(await readFlash(loader, 0x12345, bytes.length, codecs), bytes);
    }
  });
}

for (const [name, entries, left] of [
  ["selects ota_0 for good", [[1, OTA_VALID]], true],
  [
    "selects ota_1",
    [
      [1, OTA_VALID],
      [2, OTA_VALID],
    ],
    false,
  ],
  ["has ota_0 on trial", [[1, OTA_PENDING_VERIFY]], false],
  [
    "has a rejected ota_1, so that ota_0 runs",
    [
      [1, OTA_VALID],
      [2, OTA_ABORTED],
    ],
    true,
  ],
] as const) {
  test(`an otadata that ${name} is ${left ? "left alone" : "made blank"}`, async (t) => {
    const rig = await Rig.open(t);
    entries.forEach(([sequence, state], i) =>
      rig.flash.program(0xe000 + i * 4096, encodeOtaEntry(sequence, state)),
    );
    const blank = region(0xe000, new Uint8Array(8192).fill(0xff), "ota_data_initial.bin");
    const leave: FlashOptions["leave"] = (each, read) => selectsFirstSlot(esp32c3, each, read);
    const result = await write(t, rig, [blank], { leave });
    t.is(result.bytesWritten, left ? 0 : entries.length * 4096);
    t.is(rig.flash.read(0xe000, 1)[0] === 0xff, !left);
  });
}

test("the baud rate goes up, and back with the reset", async (t) => {
  const rig = await Rig.open(t);
  const rates: number[] = [];
  rig.ports.uart.onBaudRate((baud) => rates.push(baud));
  const app = region(0x10000, image(20_000));
  await write(t, rig, [app], { baudRate: 460800 });
  holds(t, rig, app);
  t.deepEqual(rates.slice(-1), [460800]);
});

test("a line that cannot do the higher rate goes on at the first one, and says so", async (t) => {
  const rig = await Rig.open(t);
  rig.toRom = (bytes) => (rig.ports.uart.baudRate > 115200 ? undefined : bytes);
  const notes: string[] = [];
  const app = region(0x10000, image(5000));
  await write(t, rig, [app], { baudRate: 921600, onNote: (note) => notes.push(note) });
  holds(t, rig, app);
  t.regex(notes[0]!, /921600 baud does not work/);
});

test("erase comes first when asked for", async (t) => {
  const rig = await Rig.open(t);
  rig.flash.program(0x3d0000, new Uint8Array(100));
  const app = region(0x10000, image(5000));
  const result = await write(t, rig, [app], { erase: true });
  holds(t, rig, app);
  t.true(rig.flash.read(0x3d0000, 100).every((byte) => byte === 0xff));
  t.is(result.sectorsErased, 1024 + 2);
});

test("a running stub is spoken to in its dialect", async (t) => {
  const rig = await Rig.open(t);
  rig.start(true);
  const port = await openPort(rig.ports.tcp, { baudRate: 115200 });
  const first = new Loader({ port, chips: allChips() });
  await first.connect();
  await startStub(first, (await stubFor("esp32c3"))!);
  first.close();
  await port.close();
  await until(() => !rig.ports.uart.connected);
  const app = region(0x10000, image(70_001));
  const result = await write(t, rig, [app], { port: rig.ports.tcp });
  holds(t, rig, app);
  t.true(result.verified);
});

test("a bad line: blocks that arrive damaged are sent again", async (t) => {
  const rig = await Rig.open(t);
  let frames = 0;
  rig.toRom = (bytes) => {
    frames += 1;
    if (frames % 40 !== 39 || bytes.length < 100) return bytes;
    const damaged = bytes.slice();
    damaged[60]! = damaged[60] === 0x55 ? 0x56 : 0x55; // in the payload
    return damaged;
  };
  const app = region(0x10000, new Uint8Array(randomBytes(120_000)));
  await write(t, rig, [app]);
  holds(t, rig, app);
});

test("a lost answer: nobody knows whether the block was taken, so the flash is asked what it holds", async (t) => {
  const rig = await Rig.open(t);
  let answers = 0;
  rig.toHost = (bytes) => (++answers === 60 ? undefined : bytes);
  const notes: string[] = [];
  const app = region(0x10000, image(80_000));
  await write(t, rig, [app], { onNote: (note) => notes.push(note) });
  holds(t, rig, app);
  t.regex(notes[0]!, /no answer to FLASH_DEFL_DATA.*going on from there/);
});

test("a ROM that loses what it is sent ahead is not sent anything ahead again", async (t) => {
  const rig = await Rig.open(t);
  let lost = 0;
  rig.toRom = (bytes) => {
    const end = bytes.indexOf(0xc0, 1) + 1;
    const isBlock = bytes.length > 1000 || end > 60;
    if (!isBlock || end === 0 || end === bytes.length) return bytes;
    lost += 1; // it is at work on the block
    return bytes.slice(0, end);
  };
  const notes: string[] = [];
  const app = region(0x10000, image(40_000));
  const result = await write(t, rig, [app], { onNote: (note) => notes.push(note) });
  holds(t, rig, app);
  t.true(result.verified);
  t.is(lost, 2, "behind the first block and behind the rest of the second, which was without its beginning");
  t.is(notes.length, 1);
  t.regex(notes[0]!, /no answer to FLASH_DEFL_DATA/);
});

test("flash that does not keep what is written is found out", async (t) => {
  const rig = await Rig.open(t);
  const program = rig.flash.program.bind(rig.flash);
  rig.flash.program = (offset, bytes) =>
    program(offset, offset === 0x10000 ? bytes.map((byte) => byte & 0xfe) : bytes);
  const notes: string[] = [];
  const error = await t.throwsAsync(
    write(t, rig, [region(0x10000, image(5000))], { onNote: (note) => notes.push(note) }),
  );
  t.is(code(error), "verify-failed");
  t.regex(error!.message, /app\.bin: 0x10000 to 0x11000 has MD5/);
  t.is(notes.length, 1, "it was tried twice");
});

test("an app that talks is no bootloader; the error quotes it", async (t) => {
  const rig = await Rig.open(t);
  rig.ports.uart.onFromHost(() => undefined);
  rig.start = () => rig.ports.uart.toHost(Buffer.from("I (20) app: hello\r\n"));
  const error = await t.throwsAsync(write(t, rig, []));
  t.is(code(error), "not-a-bootloader");
  t.regex(error!.message, /hello/);
});

test("silence is no answer", async (t) => {
  const rig = await Rig.open(t);
  rig.toHost = () => undefined;
  const error = await t.throwsAsync(write(t, rig, [], { port: rig.ports.tcp }));
  t.is(code(error), "no-answer");
  t.regex((error as { help?: string }).help!, /download mode/);
});

for (const [name, regions, expected] of [
  ["a region off the sectors", [region(0x10010, image(10))], "region-invalid"],
  [
    "two regions in one sector",
    [region(0x8000, image(4097)), region(0x9000, image(10), "nvs.bin")],
    "region-invalid",
  ],
  ["a region beyond the flash", [region(0x3ff000, image(8192))], "flash-too-small"],
] as const) {
  test(`${name} is refused with the flash untouched`, async (t) => {
    const rig = await Rig.open(t);
    t.is(code(await t.throwsAsync(write(t, rig, [...regions]))), expected);
    t.is(rig.flash.operations.erases + rig.flash.operations.programs, 0);
  });
}

test("what the check throws stops it before anything changes", async (t) => {
  const rig = await Rig.open(t);
  const check = () => {
    throw new RangeError("not this board");
  };
  await t.throwsAsync(write(t, rig, [region(0, image(10))], { check }), { instanceOf: RangeError });
  t.is(rig.flash.operations.erases, 0);
});

test("stopped at any moment, the same command completes it", async (t) => {
  const rig = await Rig.open(t);
  const regions = [region(0x8000, image(3072)), region(0x10000, image(60_000))];
  for (const at of [2000, 3500, 20_000, 50_000]) {
    const stop = new AbortController();
    const onProgress = (done: number) => void (done >= at && stop.abort());
    const error = await t.throwsAsync(write(t, rig, regions, { onProgress, signal: stop.signal }), {
      any: true,
    });
    t.is(error, stop.signal.reason);
  }
  await write(t, rig, regions);
  for (const each of regions) holds(t, rig, each);
});

test("a port that goes away in the middle is a loss, not a hang", async (t) => {
  const rig = await Rig.open(t);
  const onProgress = (done: number) => void (done > 10_000 && rig.ports.close());
  const error = await t.throwsAsync(write(t, rig, [region(0x10000, image(60_000))], { onProgress }));
  t.is(code(error), "port-lost");
});
