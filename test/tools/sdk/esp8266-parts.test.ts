// The parts of an ESP8266 build as they reach a board: flashed without a word about protected regions, under a header that is right.

import test from "ava";
import { buildImage, parseImage, reader } from "../../../firmware/format/image.js";
import { esp8266 } from "../../../tools/chips/esp8266.js";
import { checkImages, checkBoard } from "../../../tools/esptool/image-checks.js";
import type { Board } from "../../../tools/esptool/session.js";
import { ESP8266_INIT_DATA, withFlashFields } from "../../../tools/sdk/collect.js";
import { sha256 } from "../../firmware/format/test-image.js";

const { layout } = esp8266;
const REAL_MAC = Uint8Array.of(0x18, 0xfe, 0x34, 0x01, 0x02, 0x03);

/** As boot_v1.7.bin of ESP8266_RTOS_SDK 3.2 begins: e9 03 00 00. */
const bootloader = buildImage(
  {
    ...esp8266.image,
    ...{ flashMode: 0, flashSize: 0, flashFrequency: 0, entry: 0x4010057c },
    segments: [{ loadAddress: 0x40100000, data: new Uint8Array(64) }],
  },
  sha256,
);
const app = buildImage(
  { ...esp8266.image, entry: 0x40100004, segments: [{ loadAddress: 0x40100000, data: new Uint8Array(64) }] },
  sha256,
);
const board = {
  identity: { chip: esp8266, revision: 0, mac: REAL_MAC },
} as unknown as Board;

test("the bootloader's header says mode, size and rate of the chip's flash, and nothing else changes", (t) => {
  const mended = withFlashFields(bootloader, esp8266);
  t.like(parseImage(reader(mended), mended.length), { flashMode: 2, flashSize: 4, flashFrequency: 0 });
  t.is(Buffer.from(mended.subarray(0, 4)).toString("hex"), "e9010240"); // as esptool writes it: dio, 4MB, 40m
  t.deepEqual(mended.subarray(4), bootloader.subarray(4));
  t.is(bootloader[3], 0);
});

test("bootloader, app and init data go to a real ESP8266; its settings behind them are kept", (t) => {
  const initData = { offset: ESP8266_INIT_DATA, data: new Uint8Array(128).fill(5), name: "init-data.bin" };
  const regions = [
    { offset: layout.bootloader.offset, data: withFlashFields(bootloader, esp8266), name: "bootloader.bin" },
    { offset: layout.ota_0.offset, data: app, name: "app.bin" },
    initData,
  ];
  checkImages(regions, sha256);
  t.deepEqual(checkBoard(board, regions, false), { regions, left: [] });
  const longer = { ...initData, data: new Uint8Array(0x1001).fill(5) };
  const error = t.throws(() => checkBoard(board, [longer], false));
  t.is((error as { code?: string }).code, "protected-region");
});
