// Somebody else's flasher: npm's esptool-js, with its stub, writes a virtual board over RFC 2217, and the result boots.
// One after the other: its time limits are fixed, and it shares this process with the board.

import test from "ava";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { ESPLoader, Transport } from "esptool-js";
import { initialOtadata, partitionTable } from "../../../tools/build/tables.js";
import type { Chip } from "../../../tools/chips/chip.js";
import { esp32 } from "../../../tools/chips/esp32.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { esp8266 } from "../../../tools/chips/esp8266.js";
import { bench, flashFile, imageOf } from "../simulator/small-firmware.js";
import { Rig } from "./rig.js";
import { WebSerialShim } from "./web-serial.js";

const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** Connects, uploads its stub, and hands over its loader. */
async function connect(port: string, baudrate: number) {
  const said: string[] = [];
  const terminal = {
    clean: () => undefined,
    writeLine: (line: string) => said.push(line),
    write: () => undefined,
  };
  const device = new WebSerialShim(port);
  const transport = new Transport(device as never);
  transport.trace = () => undefined; // prints to the console otherwise
  const loader = new ESPLoader({ transport, baudrate, terminal });
  const name = await loader.main();
  return { loader, transport, device, said, name };
}

const options = { flashMode: "keep", flashFreq: "keep", flashSize: "keep", eraseAll: false } as const;

for (const compress of [true, false]) {
  test.serial(
    `esptool-js writes ${compress ? "compressed" : "raw"}, compares MD5s, and reads back what it wrote`,
    async (t) => {
      const rig = await Rig.open(t);
      const { loader, transport, said, name } = await connect(rig.ports.rfc2217, 460800);
      t.is(name, "ESP32-C3 (QFN32) (revision v0.4)");
      t.true(said.includes("MAC: 02:11:22:33:44:55"), said.join("\n"));
      t.true(said.includes("Stub running..."));
      const data = new Uint8Array(Buffer.concat([Buffer.alloc(30_000, "tide "), randomBytes(30_001)]));
      const files = [
        { data: data.subarray(0, 5000), address: 0x8000 },
        { data, address: 0x10000 },
      ];
      await loader.writeFlash({ ...options, fileArray: files, compress, calculateMD5Hash: md5 });
      for (const { data: bytes, address } of files) {
        t.true(Buffer.from(rig.flash.read(address, bytes.length)).equals(bytes));
      }
      t.is(await loader.detectFlashSize(), "4MB");
      const read = await loader.readFlash(0x10000, 20_000);
      t.deepEqual(read.subarray(0, 20_000), data.subarray(0, 20_000));
      await loader.eraseFlash();
      t.true(rig.flash.read(0x10000, 60_000).every((byte) => byte === 0xff));
      await transport.disconnect();
    },
  );
}

const boards: [Chip, string][] = [
  [esp32c3, "ESP32-C3 (QFN32) (revision v0.4)"],
  [esp32, "ESP32-D0WD-V3 (revision 3)"],
  [esp8266, "ESP8266EX"],
];

for (const [chip, description] of boards)
  for (const compress of [true, false])
    test.serial(
      `esptool-js flashes an ${chip.name}, ${compress ? "compressed" : "raw"}: identified, written, read back, it boots, it is erased`,
      async (t) => {
        const image = await imageOf(`say("flashed by a browser's tool");`, { chip });
        const file = flashFile(t, {}, chip);
        const board = await bench(t, file, { chip });
        const { rfc2217, mac } = board.simulation.boards[0]!.reach;
        const { loader, transport, said, name } = await connect(rfc2217, 921600);
        t.is(name, description);
        t.true(said.includes(`MAC: ${mac}`), said.join("\n"));
        t.true(said.includes(`Crystal is ${chip.rom.crystal}MHz`), said.join("\n"));
        t.true(said.includes("Stub running..."));
        const files = [
          { data: partitionTable(chip), address: chip.layout.partitionTable.offset },
          { data: initialOtadata(), address: chip.layout.otadata.offset },
          { data: image, address: chip.layout.ota_0.offset },
        ];
        await loader.writeFlash({ ...options, fileArray: files, compress, calculateMD5Hash: md5 });
        for (const { data, address } of files)
          t.true(
            readFileSync(file)
              .subarray(address, address + data.length)
              .equals(data),
          );
        const { offset } = chip.layout.ota_0;
        const read = await loader.readFlash(offset, image.length);
        t.true(Buffer.from(read.subarray(0, image.length)).equals(image));
        await loader.after("custom_reset", false, "D0|R1|W100|R0");
        await board.said(/flashed by a browser's tool/);
        await transport.disconnect();

        const again = await connect(rfc2217, 115200);
        await again.loader.eraseFlash();
        t.true(readFileSync(file).every((byte) => byte === 0xff));
        await again.transport.disconnect();
      },
    );
