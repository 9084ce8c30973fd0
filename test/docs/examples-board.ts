// Examples of SPEC.md: the virtual board's bus, archive, world, control socket and capture, and lines on the UART.

import { deepEqual, equal, ok } from "node:assert/strict";
import { connect } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blankDefaults } from "../../firmware/format/defaults-block.js";
import { encodeOtaEntry, OTA_NEW } from "../../firmware/format/otadata.js";
import type { Device } from "../../firmware/device/types.js";
import { OtaStatus } from "../../firmware/ota/status.js";
import { Pins } from "../../firmware/pins/pins.js";
import type { Base } from "../../firmware/store/base.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { formatJoinKey } from "../../firmware/protocol/join.js";
import { parseReserved } from "../../firmware/protocol/reserved-data.js";
import { encodeReserved } from "../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import { ServerTime } from "../../firmware/telemetry/server-time.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import { logLine, masked, type Log } from "../../firmware/protocol/log-line.js";
import { partitionTable } from "../../tools/build/tables.js";
import { makeVirtualImage } from "../../tools/build/virtual-image.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { decodeValues, encodeFrame, FRAME } from "../../tools/engine/bus-frame.js";
import { link, prepareEngine, readArchive } from "../../tools/engine/engine.js";
import type { Board } from "../../tools/simulator/board.js";
import { boot } from "../../tools/simulator/boot.js";
import { serveControl } from "../../tools/simulator/control.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { PcapWriter, readStreams } from "../../tools/simulator/pcap.js";
import { checkWorld } from "../../tools/simulator/world.js";
import type { Example, Examples } from "./example.js";
import { JOIN_KEY, NOW, PIN, SERVER_URL, utf8 } from "./fixed.js";
import { dump, undump } from "./spec-file.js";

const CACHE = new URL("../../.broome", import.meta.url).pathname;

// ---- bus -----------------------------------------------------------------------------------------------------------

function frame(bytes: Buffer, fields: (readonly [number, string])[], values: unknown[], skip = 0): Example {
  const head = [
    [4, `length ${bytes.length - 4}`],
    [1, `type ${bytes[4]!.toString(16).padStart(2, "0")}`],
  ] as const;
  return {
    make: () => dump(new Uint8Array(bytes), [...head, ...fields]),
    check: (text) => deepEqual(decodeValues(Buffer.from(undump(text)).subarray(4), 1 + skip), values),
  };
}

const busExamples: Examples = {
  "bus-call": frame(
    encodeFrame(FRAME.call, [], ["flash.write", 0, 4096, Uint8Array.of(1, 2, 3)]),
    [
      [5, "text of 11 bytes"],
      [11, '"flash.write"'],
      [5, "integer 0: the handle"],
      [5, "integer 4096"],
      [5, "bytes, 3"],
      [3, ""],
    ],
    ["flash.write", 0, 4096, Uint8Array.of(1, 2, 3)],
  ),
  "bus-error": frame(
    encodeFrame(FRAME.error, [], ["read-only", "the running slot is read-only"]),
    [
      [14, "code"],
      [34, "message"],
    ],
    ["read-only", "the running slot is read-only"],
  ),
  "bus-event": frame(
    encodeFrame(FRAME.event, [0], ["station.lost", 201]),
    [
      [1, "flags: none"],
      [17, "name"],
      [5, "integer 201"],
    ],
    ["station.lost", 201],
    1,
  ),
};

// ---- archive, boot ---------------------------------------------------------------------------------------------------

/** A program of one module, and the blank defaults as its resource. */
async function archiveOf(): Promise<Uint8Array> {
  const engine = await prepareEngine({ cacheDir: CACHE });
  const modules = [{ name: "firmware/main", source: "const greeting = 1; export default greeting;" }];
  const resources = [{ name: "defaults.bin", data: blankDefaults() }];
  return (await link(engine, { modules, preload: ["firmware/main"], resources })).archive;
}

/** Names and sizes only: the bytecode and the root's hash are XS's. */
function atomsOf(archive: Uint8Array): string {
  const view = new DataView(archive.buffer, archive.byteOffset);
  const lines: string[] = [];
  const walk = (from: number, to: number, depth: number): void => {
    for (let at = from; at < to; at += view.getUint32(at)) {
      const size = view.getUint32(at);
      const type = Buffer.from(archive.subarray(at + 4, at + 8)).toString("latin1");
      lines.push(`${"  ".repeat(depth)}${type}`);
      if (["BXSA", "MODS", "RSRC"].includes(type)) walk(at + 8, at + size, depth + 1);
    }
  };
  walk(0, archive.length, 0);
  return lines.join("\n");
}

const archiveExamples: Examples = {
  "archive-atoms": { make: async () => atomsOf(await archiveOf()) },
  "archive-head": {
    async make() {
      const archive = await archiveOf();
      const shown = archive.slice(0, 8 + 12 + 24);
      shown.fill(0, 28); // the root's hash changes with the engine
      new DataView(shown.buffer).setUint32(0, 0x1234);
      return dump(shown, [
        [4, "size of BXSA, here 0x1234"],
        [4, '"BXSA"'],
        [4, "size 12"],
        [4, '"VERS"'],
        [3, "XS 13.3.0"],
        [1, "layout 1"],
        [4, "size 24"],
        [4, '"ROOT"'],
        [16, "hash of the root's symbols, here zeros"],
      ]);
    },
    async check() {
      const { version, preload, modules, resources } = readArchive(await archiveOf());
      deepEqual([version, preload, modules[0]?.name], ["13.3.0/1", ["firmware/main"], "firmware/main"]);
      equal(resources[0]!.offset % 4, 0);
    },
  },
  "uart-boot": {
    async make() {
      const identity = { version: "1.0.0", securityCounter: 0, framework: "xs-13.3.0", builtAt: new Date(0) };
      const image = makeVirtualImage(esp32c3, await archiveOf(), identity);
      const flash = NorFlash.open({ size: esp32c3.flashSize });
      const { partitionTable: table, ota_0, otadata } = esp32c3.layout;
      flash.program(table.offset, partitionTable(esp32c3));
      flash.program(ota_0.offset, image);
      flash.program(otadata.offset, encodeOtaEntry(2, OTA_NEW)); // names ota_1, in which there is nothing
      const lines: string[] = [];
      boot(flash, esp32c3, (level, tag, text) => lines.push(`${level} (12) ${tag}: ${text}`));
      return lines.filter((line) => !line.includes("esp_image: segment")).join("\n");
    },
  },
};

// ---- UART, pins ------------------------------------------------------------------------------------------------------

function otaLines(): { lines: string; pins: string } {
  const lines: string[] = [];
  const log: Log = (tag, text, level) => lines.push(logLine(20345, tag, text, level).trimEnd());
  const store = new LogStore({ flash: flashRegion(NorFlash.open({ size: 0x10000 })) });
  const device = { system: { uptimeMs: () => 20345 } } as unknown as Device;
  const base: Base = { device, store, log, config: undefined as never };
  const pins = new Pins(base);
  const time = new ServerTime();
  time.point = { t: NOW, uptimeMs: 20345 };
  const status = new OtaStatus(base, pins, time);
  status.cause = "pin";
  status.set("checking");
  status.set("offered", { version: "1.0.1" });
  status.set("downloading", { percent: 0, version: "1.0.1" });
  status.progress("downloading", 55);
  status.set("verifying", { percent: 100, version: "1.0.1" });
  status.set("restarting", { percent: 100, version: "1.0.1" });
  status.set("trial", { version: "1.0.1" });
  const first = pins.reports(1)[0]![1];
  status.set("rolled-back", { version: "1.0.1", reason: "ended by watchdog" });
  return { lines: lines.join("\n"), pins: [first, pins.reports(1)[0]![1]].join("\n") };
}

const uartExamples: Examples = {
  "uart-lines": {
    make: () =>
      [
        logLine(445, "boot", "slot=ota_0 version=1.0.0 cause=power-on"),
        logLine(451.9, "wifi", `joining "Broome", password ${masked("cable-beach-6725")}`),
        logLine(9031, "sync", "failed: timeout", "W"),
        logLine(9032, "app", "two\nlines, a bell \u0007 and é"),
      ]
        .join("")
        .trimEnd(),
  },
  "uart-ota": { make: () => otaLines().lines },
  "pin-101": { make: () => otaLines().pins },
};

// ---- world, control, capture -----------------------------------------------------------------------------------------

/** Only what the control protocol needs of a board. */
function standIn(): Board {
  const nothing = () => undefined;
  const status = () => ({ state: "running", chip: "esp32c3", slot: "ota_0", version: "1.0.0" });
  return {
    status,
    reset: nothing,
    download: nothing,
    cutPower: nothing,
    setPin: nothing,
  } as unknown as Board;
}

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${line}\n`));
    socket.on("error", reject);
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString().trimEnd());
    });
  });
}

const QUESTIONS = [
  '{"op":"status"}',
  '{"op":"reset"}',
  '{"op":"download"}',
  '{"op":"power-cut","at":3}',
  '{"op":"gpio","pin":9,"high":false}',
];

function capture(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "broome-spec-"));
  const now = Date.now;
  try {
    const file = join(folder, "air.pcap");
    const writer = new PcapWriter(file);
    Date.now = () => NOW;
    const flow = writer.open(
      { address: "192.168.6.2", port: 49152 },
      { address: "192.168.6.10", port: 3000 },
    );
    flow.sent(utf8("GET"));
    writer.close();
    return new Uint8Array(readFileSync(file));
  } finally {
    Date.now = now;
    rmSync(folder, { recursive: true });
  }
}

const PACKET = 16 + 20 + 20;

const worldExamples: Examples = {
  world: {
    check(text) {
      const { accessPoints, faults, seed } = checkWorld(JSON.parse(text));
      equal(seed, 6725);
      equal(faults.length, 8, "every kind of fault once");
      deepEqual(accessPoints[1], {
        ...{ ssid: "Roebuck Bay", bssid: "02:b0:0e:00:00:01", password: "", security: "open" },
        ...{ channel: 6, rssi: -50, hidden: false, fail: "absent" },
      });
    },
  },
  control: {
    async make() {
      const server = await serveControl(standIn());
      try {
        const lines: string[] = [];
        for (const question of QUESTIONS)
          lines.push(`> ${question}`, `< ${await ask(server.path, question)}`);
        return lines.join("\n");
      } finally {
        await server.close();
      }
    },
  },
  pcap: {
    make() {
      const bytes = capture();
      const file = [
        [4, "magic: microseconds"],
        [4, "version 2.4"],
        [8, "zone, accuracy: 0"],
        [4, "longest packet 65535"],
        [4, "link type 101: raw IP"],
      ] as const;
      const record = [
        [8, "seconds, microseconds"],
        [8, "captured length, original length"],
        [20, "IPv4 header"],
      ] as const;
      const syn = bytes.slice(0, 24 + PACKET);
      return dump(syn, [...file, ...record, [20, "TCP header: SYN"]]);
    },
    check(text) {
      const whole = capture();
      ok(whole.length > undump(text).length);
      const [up, down] = readStreams(whole);
      deepEqual(
        [up?.from, up?.to, down?.from],
        ["192.168.6.2:49152", "192.168.6.10:3000", "192.168.6.10:3000"],
      );
      deepEqual(up?.bytes, utf8("GET"));
    },
  },
};

// ---- ESP-Touch -------------------------------------------------------------------------------------------------------

const sent = { server: parseServerUrl(SERVER_URL), joinKey: formatJoinKey(JOIN_KEY) };

const touchExamples: Examples = {
  "reserved-data": {
    make: () =>
      dump(encodeReserved(sent), [
        [1, "ours"],
        [1, "pin, join key, IPv4"],
        [2, "port 3000"],
        [4, "192.168.6.10"],
        [16, PIN],
        [6, `kid ${JOIN_KEY.kid}`],
        [16, "secret"],
        [1, "the end"],
      ]),
    check: (shown) => deepEqual(parseReserved(undump(shown)), sent),
  },
};

export const boardExamples: Examples = {
  ...touchExamples,
  ...busExamples,
  ...archiveExamples,
  ...uartExamples,
  ...worldExamples,
};
