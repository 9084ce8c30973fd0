// Which function an address lies in, against nm and objdump of programs that Debian's compilers made.

import test from "ava";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MACHINE_RISCV, MACHINE_XTENSA } from "../../../tools/elf/elf.js";
import { Functions } from "../../../tools/elf/functions.js";
import { crossProgram, isThere, LX106, RV32IMC } from "../../support/cross-program.js";
import { elfFile } from "../../support/elf-file.js";

for (const [core, machine] of [
  [LX106, MACHINE_XTENSA],
  [RV32IMC, MACHINE_RISCV],
] as const) {
  const skips = !isThere(core) && process.env["BROOME_NO_SKIP"] !== "1";
  const check = skips ? test.skip : test;
  check(
    `${core.prefix}: functions as nm has them, calls as objdump has them${skips ? ` (apt install ${core.package})` : ""}`,
    (t) => {
      const folder = mkdtempSync(join(tmpdir(), "broome-elf-"));
      t.teardown(() => rmSync(folder, { recursive: true, force: true }));
      const { elf, functions: known, behindCalls, others } = crossProgram(core, folder);
      const functions = new Functions(new Uint8Array(readFileSync(elf)));
      t.is(functions.machine, machine);
      t.deepEqual([...known.keys()].sort(), ["tide_log", "tide_read", "tide_start"]);
      for (const [name, { address, size }] of known) {
        t.deepEqual(functions.at(address), { name, offset: 0 });
        t.deepEqual(functions.at(address + size - 1), { name, offset: size - 1 });
      }
      t.is(functions.at(Math.min(...[...known.values()].map(({ address }) => address)) - 16), undefined);
      t.is(functions.at(0), undefined);
      t.is(behindCalls.length, 2, "two functions call another");
      for (const address of behindCalls) t.true(functions.isBehindCall(address), address.toString(16));
      for (const address of others) t.false(functions.isBehindCall(address), address.toString(16));
    },
  );
}

const CODE = { name: ".text", flags: 6, address: 0x40100000, bytes: new Uint8Array(64) };

test("a function of the assembler, without a size, ends where the next one begins; no data is a function", (t) => {
  const symbol = (name: string, value: number, size: number, type = 2) => ({ name, value, size, type });
  const functions = new Functions(
    elfFile(
      [CODE, { name: ".data", flags: 3, address: 0x3ffe8000, bytes: new Uint8Array(16) }],
      [
        symbol("memcpy", 0x40100000, 0),
        symbol("alias", 0x40100010, 8),
        symbol("memset", 0x40100010, 16),
        symbol("last", 0x40100030, 0),
        symbol("a_label", 0x40100004, 0, 0),
        symbol("not_code", 0x3ffe8000, 16),
      ],
    ),
  );
  const name = (address: number) => functions.at(address)?.name;
  t.deepEqual(
    [0x40100000, 0x4010000f, 0x40100010, 0x4010001f, 0x40100020, 0x4010003f, 0x40100040, 0x3ffe8000].map(
      name,
    ),
    ["memcpy", "memcpy", "memset", "memset", undefined, "last", undefined, undefined],
  );
});

test("a program that was stripped has no functions, and says so of every address", (t) => {
  t.is(new Functions(elfFile([CODE])).at(0x40100000), undefined);
});
