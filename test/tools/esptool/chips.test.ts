// The flasher on every chip that is supported, with its stub and with the ROM alone.

import test from "ava";
import { randomBytes } from "node:crypto";
import { allChips } from "../../../tools/chips/registry.js";
import { esp8266EraseSize } from "../../../tools/esptool/erase-size.js";
import { flash } from "../../../tools/esptool/flasher.js";
import { Loader } from "../../../tools/esptool/loader.js";
import { codecs, stubFor } from "../../../tools/node-flasher.js";
import { openPort } from "../../../tools/serial/open.js";
import { until } from "../../contract/serial-port.js";
import { Rig } from "./rig.js";

for (const chip of allChips()) {
  for (const withStub of [true, false]) {
    test(`${chip.name}, ${withStub ? "with its stub" : "ROM only"}: written, then only what changed`, async (t) => {
      const rig = await Rig.open(t, { chip });
      const { offset } = chip.layout.ota_0;
      const data = new Uint8Array(Buffer.concat([Buffer.alloc(60_000, "text "), randomBytes(60_000)]));
      const write = async () => {
        const port = await openPort(rig.ports.rfc2217, { baudRate: 115200 });
        const loader = new Loader({ port, chips: allChips() });
        try {
          const regions = [{ offset, data, name: "app.bin" }];
          return await flash(loader, {
            ...{ regions, codecs, baudRate: 460800, onNote: (note: string) => t.log(note) },
            ...(withStub && { stub: stubFor }),
          });
        } finally {
          loader.close();
          await port.close();
          await until(() => !rig.ports.uart.connected);
        }
      };
      const first = await write();
      t.is(first.identity.chip.name, chip.name);
      t.true(Buffer.from(rig.flash.read(offset, data.length)).equals(data));
      data[70_000]! ^= 0xff;
      const second = await write();
      t.true(Buffer.from(rig.flash.read(offset, data.length)).equals(data));
      const asks = withStub || chip.rom.commands.includes("SPI_FLASH_MD5");
      t.is(first.verified, asks);
      t.is(second.bytesWritten, asks ? 4096 : data.length);
      t.is(first.baudRate, withStub || chip.rom.commands.includes("CHANGE_BAUDRATE") ? 460800 : 115200);
      await until(() => rig.starts.at(-1) === "app");
      t.is(rig.starts.at(-1), "app");
    });
  }
}

// What esptool's targets/esp8266.py gives: by hand, from its code.
for (const [offset, size, asked] of [
  [0x1000, 0x1000, 0x1000],
  [0x1000, 0x8000, 0x4000],
  [0x1000, 0x20000, 0x11000],
  [0x10000, 0x10000, 0x8000],
  [0x10000, 0x40000, 0x30000],
  [0xf000, 0x3000, 0x2000],
] as const) {
  test(`the ESP8266's ROM is asked for 0x${asked.toString(16)} bytes to erase 0x${size.toString(16)} at 0x${offset.toString(16)}`, (t) => {
    t.is(esp8266EraseSize(offset, size), asked);
  });
}
