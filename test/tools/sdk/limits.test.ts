// What an ESP8266 program takes, read from its ELF, and what does not fit; hostile files end in an error with a code.

import test from "ava";
import { chipByName } from "../../../tools/chips/registry.js";
import { sectionsOf, type Section } from "../../../tools/sdk/elf.js";
import { checkLimits, esp8266Limits, overflowOf, slotLimits } from "../../../tools/sdk/limits.js";
import { seededRandom } from "../../support/random.js";

/** As `xtensa-lx106-elf-size -A` (binutils 2.40) printed of a `-p esp` build with nothing in it but a trace. */
const HELLO: Section[] = [
  { name: ".data", address: 1073643520, size: 904 },
  { name: ".rodata", address: 1073644432, size: 6296 },
  { name: ".bss", address: 1073650728, size: 29680 },
  { name: ".irom0.text", address: 1075843088, size: 415668 },
  { name: ".text", address: 1074790400, size: 24696 },
];

/** An ELF of these sections: header, names, table. */
function elf(sections: readonly Section[]): Uint8Array {
  const names = ["", ...sections.map(({ name }) => name), ".shstrtab"];
  const text = Buffer.from(`${names.join("\0")}\0`);
  const table = 52 + text.length;
  const bytes = new Uint8Array(table + 40 * names.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1]);
  view.setUint32(32, table, true);
  for (const [at, value] of [
    [46, 40],
    [48, names.length],
    [50, names.length - 1],
  ] as const)
    view.setUint16(at, value, true);
  bytes.set(text, 52);
  let name = 0;
  names.forEach((text, i) => {
    view.setUint32(table + 40 * i, name, true);
    name += text.length + 1;
    const { address = 0, size = 0 } = sections[i - 1] ?? {};
    view.setUint32(table + 40 * i + 12, address, true);
    view.setUint32(table + 40 * i + 20, size, true);
  });
  view.setUint32(table + 40 * (names.length - 1) + 16, 52, true);
  return bytes;
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
  t.regex(overflowOf("esp8266", gnu.split("\n")[1]!)!.message, /812 bytes more than iram1_0_seg has/);
  t.is(overflowOf("esp8266", "undefined reference to `main'"), undefined);
});

test("damaged and truncated ELF files end in elf-unreadable or in bounded sections", (t) => {
  const good = elf(HELLO);
  const random = seededRandom(20261127);
  for (let i = 0; i < 3000; i++) {
    const bytes = good.slice(0, i % 3 === 0 ? random.below(good.length) : good.length);
    for (let n = 0; n < 4 && bytes.length > 0; n++) bytes[random.below(bytes.length)] = random.below(256);
    try {
      t.true(sectionsOf(bytes).length <= 512);
    } catch (error) {
      if ((error as { code?: string }).code !== "elf-unreadable")
        t.fail(`seed ${random.seed}, case ${i}: ${(error as Error).message}`);
    }
  }
  t.pass();
});
