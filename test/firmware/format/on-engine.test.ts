// The same codecs on the device's engine, in its memory: results equal to Node's, within the arena of an ESP8266.

import test from "ava";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeDefaults } from "../../../firmware/format/defaults-block.js";
import { crc32 } from "../../../firmware/format/crc32.js";
import { transformModules } from "../../../tools/build/transform.js";
import { runModules } from "../../tools/engine/run-modules.js";
import { testDescriptor, testImage } from "./test-image.js";

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

const main = `
import { crc32 } from "./firmware/format/crc32.js";
import { decodeUtf8, encodeUtf8 } from "./firmware/format/utf8.js";
import { defaultsCrc, readDefaults } from "./firmware/format/defaults-block.js";
import { parseImage } from "./firmware/format/image.js";
import { parseAppDescriptor } from "./firmware/format/app-descriptor.js";
import { chooseSlot, encodeOtaEntry, parseOtaEntry } from "./firmware/format/otadata.js";

const log = (...values) => bus("log", ...values);
const code = (act) => { try { act(); return "ok"; } catch (error) { return error.code; } };

const text = new Uint8Array(bus("text"));
log("decode", decodeUtf8(text));
log("inner", decodeUtf8(text.subarray(1, 11)));
log("encode", encodeUtf8(decodeUtf8(text)));
log("bad", [0x80, 0xc0, 0xff].map((byte) => code(() => decodeUtf8(Uint8Array.of(0x41, byte, 0x80)))).join());
log("surrogate", code(() => decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))));
log("crc", crc32(new Uint8Array(bus("text"))), crc32(Uint8Array.of(1, 0, 0, 0), 0xffffffff));
const block = new Uint8Array(bus("block"));
log("defaults", JSON.stringify(readDefaults(block)), defaultsCrc(block));
block[30] ^= 1;
log("damaged", code(() => readDefaults(block)));
const read = (offset, length) => new Uint8Array(bus("read", offset, length));
const info = parseImage(read, 0x1e0000);
log("image", info.entry, info.size, info.segments.length, info.segments[0].loadAddress);
const descriptor = parseAppDescriptor(read(0x20, 256));
log("descriptor", descriptor.version, descriptor.project, descriptor.secureVersion);
const entries = [parseOtaEntry(encodeOtaEntry(1, 2)), parseOtaEntry(encodeOtaEntry(2, 0))];
log("slot", chooseSlot(entries, 2).slot, chooseSlot(entries, 2).entries[1].state);
`;

test("text, CRC, defaults, image, descriptor and otadata on XS are what they are in Node", async (t) => {
  const names = readdirSync(join(root, "firmware/format")).filter((name) => name.endsWith(".ts"));
  const files = names.map((name) => {
    return { name: `firmware/format/${name.slice(0, -3)}`, file: join(root, "firmware/format", name) };
  });
  const format = await transformModules(root, files);
  const text = "Straße 网络 🛰️ ".repeat(30).slice(0, -1);
  const bytes = new TextEncoder().encode(text);
  const image = testImage();
  const values = { "wifi.ssid": "Café", "x.filler": "y".repeat(900), tofu: true, "trial.uptimeMs": 2000 };
  const block = encodeDefaults(values);
  const { log, exit, stats } = await runModules({
    modules: { main, ...Object.fromEntries(format.map(({ name, source }) => [name, source])) },
    preload: format.map(({ name }) => name),
    onCall(op, args) {
      if (op === "text") return bytes;
      if (op === "block") return block;
      if (op === "read") return image.subarray(Number(args[0]), Number(args[0]) + Number(args[1]));
      return undefined;
    },
  });
  t.is(exit.abort, undefined, JSON.stringify(exit.abort));
  const got = Object.fromEntries(log.map(([name, ...rest]) => [name as string, rest]));
  t.deepEqual(got.decode, [text]);
  t.deepEqual(got.inner, [new TextDecoder().decode(bytes.subarray(1, 11))]);
  t.deepEqual(new Uint8Array(got.encode![0] as Uint8Array), bytes);
  t.deepEqual(got.bad, ["value-not-utf8,value-not-utf8,value-not-utf8"]);
  t.deepEqual(got.surrogate, ["value-not-utf8"]);
  t.deepEqual(got.crc, [crc32(bytes), 0x4743989a]);
  t.deepEqual(JSON.parse(got.defaults![0] as string), values);
  t.deepEqual(got.damaged, ["defaults-corrupt"]);
  t.deepEqual(got.image, [0x40380000, image.length, 2, 0x3c000020]);
  t.deepEqual(got.descriptor, [testDescriptor.version, testDescriptor.project, 1]);
  t.deepEqual(got.slot, [1, 1]);
  t.log(`arena peak ${stats.at(-1)?.arenaPeak} of ${stats.at(-1)?.arenaLimit} bytes`);
});
