// What an ESP8266 program takes and where its store may lie, read from its ELF, and what does not fit; hostile files end in an error
// with a code.

import test from "ava";
import { chipByName } from "../../../tools/chips/registry.js";
import { sectionsOf, symbolsOf, type Section } from "../../../tools/elf/elf.js";
import { checkStorage } from "../../../tools/sdk/esp8266-storage.js";
import { checkLimits, esp8266Limits, overflowOf, slotLimits } from "../../../tools/sdk/limits.js";
import { elfFile } from "../../support/elf-file.js";
import { seededRandom } from "../../support/random.js";

/** As `xtensa-lx106-elf-size -A` (binutils 2.40) printed of a `-p esp` build with nothing in it but a trace. */
const HELLO: Section[] = [
  { name: ".data", address: 1073643520, size: 904 },
  { name: ".rodata", address: 1073644432, size: 6296 },
  { name: ".bss", address: 1073650728, size: 29680 },
  { name: ".irom0.text", address: 1075843088, size: 415668 },
  { name: ".text", address: 1074790400, size: 24696 },
];

/** As `readelf -s` (binutils 2.40) printed of the project's own `-p esp` build. */
const SYMBOLS = { _MODPREF_start: 0x40300000, _SPIFFS_start: 0x40302000, _SPIFFS_end: 0x405fb000 };

/** An ELF file of these sections and symbols. */
function elf(sections: readonly Section[], symbols: Readonly<Record<string, number>> = {}): Uint8Array {
  return elfFile(
    sections,
    Object.entries(symbols).map(([name, value]) => ({ name, value })),
  );
}

test("sections and limits of an ESP8266 program", (t) => {
  const sections = sectionsOf(elf(HELLO));
  t.deepEqual(sections, HELLO);
  const limits = esp8266Limits(sections);
  t.deepEqual(limits, {
    irom: { used: 415668, max: 1044464 },
    iram: { used: 24696, max: 32768 },
    dram: { used: 36880, max: 81920 },
  });
  t.notThrows(() => checkLimits("esp8266", limits));
});

const { broome } = chipByName("esp8266").layout;

test("symbols by their whole names; one that is not there is left out", (t) => {
  const program = elf(HELLO, SYMBOLS);
  t.deepEqual([...symbolsOf(program, ["_SPIFFS_end", "_SPIFFS", "start", "_SPIFFS_start"])].sort(), [
    ["_SPIFFS_end", 0x405fb000],
    ["_SPIFFS_start", 0x40302000],
  ]);
  t.is(symbolsOf(elf(HELLO), ["_SPIFFS_end"]).size, 0);
});

test("the store lies in the SPIFFS area of the linked program, or the build ends", (t) => {
  t.notThrows(() => checkStorage(elf(HELLO, SYMBOLS), broome));
  const wrong: [Record<string, number>, RegExp][] = [
    // eagle.flash.1m.ld
    [{ _SPIFFS_start: 0x402fb000, _SPIFFS_end: 0x402fb000 }, /0xfb000 to 0xfb000 .* lies at 0x202000/],
    [{ ...SYMBOLS, _SPIFFS_end: 0x40300000 + 0x111fff }, /0x102000 to 0x211fff/],
    [{ ...SYMBOLS, _SPIFFS_start: 0x40303000 }, /0x103000 .* counted from 0x102000/],
    [{ _SPIFFS_start: 0x40302000 }, /is none/],
    [{}, /is none/],
  ];
  for (const [symbols, words] of wrong) {
    const error = t.throws(() => checkStorage(elf(HELLO, symbols), broome), { message: words });
    t.is((error as { code?: string }).code, "sdk-config");
  }
});

const c3 = chipByName("esp32c3");
const tooBig: [string, () => void, RegExp][] = [
  [
    "static RAM",
    () => checkLimits("esp8266", { dram: { used: 81921, max: 81920 } }),
    /81921 bytes of dram; there are 81920/,
  ],
  ["a slot", () => checkLimits("esp32c3", slotLimits(c3, c3.layout.ota_0.size)), /a slot has 1966080/],
];
for (const [what, action, words] of tooBig)
  test(`more than ${what} has: app-too-big`, (t) => {
    const error = t.throws(action, { message: words });
    t.is((error as { code?: string }).code, "app-too-big");
  });

test("the linker's own words become app-too-big", (t) => {
  const gnu =
    "ld: main.elf section `.text' will not fit in region `iram1_0_seg'\nld: region `iram1_0_seg' overflowed by 812 bytes";
  t.is(overflowOf("esp8266", gnu)?.code, "app-too-big");
  t.regex(overflowOf("esp8266", gnu)!.message, /812 bytes more than iram1_0_seg has/);
  t.regex(
    overflowOf("esp8266", gnu.split("\n")[0]!)!.message,
    /more than iram1_0_seg has \(section \.text\)/,
  );
  t.is(overflowOf("esp8266", "undefined reference to `main'"), undefined);
});

test("damaged and truncated ELF files end in elf-unreadable or in bounded sections", (t) => {
  const good = elf(HELLO, SYMBOLS);
  const random = seededRandom(20261127);
  for (let i = 0; i < 3000; i++) {
    const bytes = good.slice(0, i % 3 === 0 ? random.below(good.length) : good.length);
    for (let n = 0; n < 4 && bytes.length > 0; n++) bytes[random.below(bytes.length)] = random.below(256);
    try {
      t.true(sectionsOf(bytes).length <= 512);
      t.true(symbolsOf(bytes, ["_SPIFFS_start"]).size <= 1);
    } catch (error) {
      if ((error as { code?: string }).code !== "elf-unreadable")
        t.fail(`seed ${random.seed}, case ${i}: ${(error as Error).message}`);
    }
  }
  t.pass();
});
