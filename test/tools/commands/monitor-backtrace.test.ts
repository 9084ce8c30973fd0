// `broome monitor` on a native crash: names of functions from the ELF file, files and lines by addr2line, or what is missing for them.

import test from "ava";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb } from "../../../tools/commands/monitor.js";
import { parseLines } from "../../../tools/serial/addr2line.js";
import { Backtraces } from "../../../tools/serial/backtrace.js";
import { until } from "../../contract/serial-port.js";
import { crossProgram, isThere, LX106, RV32IMC } from "../../support/cross-program.js";
import { elfFile } from "../../support/elf-file.js";
import { runVerb } from "../../support/run-verb.js";
import { Rig } from "../esptool/rig.js";

const hex = (address: number) => `0x${address.toString(16)}`;

function scratch(t: { teardown(fn: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-backtrace-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const check = [LX106, RV32IMC].every(isThere) || process.env["BROOME_NO_SKIP"] === "1" ? test : test.skip;

check("an ESP8266 that crashes: functions, files and lines of what it names", async (t) => {
  const { elf, functions, behindCalls } = crossProgram(LX106, scratch(t));
  const rig = await Rig.open(t);
  const read = functions.get("tide_read")!.address;
  const dump = [
    `Exception (28):`,
    `epc1=${hex(read)} epc2=0x00000000 epc3=0x00000000 excvaddr=0x00000008 depc=0x00000000`,
    `>>>stack>>>`,
    `3ffffde0:  3ffe8534 00000000 ${behindCalls[0]!.toString(16)} ${read.toString(16)}  `,
    `<<<stack<<<`,
    "the end\n",
  ];
  const argv = ["--no-reset", "--elf", elf, "--until", "the end", "--for", "20"];
  const run = runVerb(verb, argv, { port: rig.ports.tcp });
  await until(() => rig.ports.uart.connected);
  rig.ports.uart.toHost(Buffer.from(dump.join("\r\n")));
  const { result, text } = await run;
  t.is(result?.end, "text", text);
  t.regex(text, new RegExp(`--- epc1 ${hex(read)}: tide_read \\+ 0x0, \\S*tide\\.c:[12]\\n`));
  t.regex(
    text,
    new RegExp(
      `--- stack ${hex(behindCalls[0]!)}: tide_(log|start) \\+ 0x[0-9a-f]+, \\S*tide\\.c:[58]$`,
      "m",
    ),
  );
  t.is(text.match(/--- stack/g)?.length, 1, "a function's address behind no call is no way back");
});

/** What is noted of lines that a board says. */
async function notes(options: { elf?: string; path?: string }, lines: readonly string[]): Promise<string[]> {
  const said: string[] = [];
  const { elf, path } = options;
  const backtraces = new Backtraces({
    elfOf: () => elf,
    note: (text) => said.push(text),
    ...(path !== undefined && { path }),
  });
  for (const line of lines) backtraces.line(line);
  await backtraces.end();
  return said;
}

check(
  "an ESP32-C3 that crashes: the line of the call, not the one behind it; the ROM has no names",
  async (t) => {
    const { elf, functions, behindCalls } = crossProgram(RV32IMC, scratch(t));
    const [read, back] = [functions.get("tide_read")!.address, behindCalls[0]!];
    const sha256 = createHash("sha256").update(readFileSync(elf)).digest("hex");
    const said = await notes({ elf }, [
      `MEPC    : ${hex(read)}  RA      : ${hex(back)}  SP      : 0x3fc92d50  GP      : 0x3fc8b200  `,
      "Stack memory:",
      "3fc92d50: 0x00000000 0x40000410",
      `ELF file SHA256: ${sha256.slice(0, 9)}`,
    ]);
    t.is(said.length, 2, said.join("\n"));
    t.regex(said[0]!, new RegExp(`^MEPC ${hex(read)}: tide_read \\+ 0x0, \\S*tide\\.c:[12]$`));
    t.regex(said[1]!, new RegExp(`^RA ${hex(back)}: tide_(log|start) \\+ 0x[0-9a-f]+, \\S*tide\\.c:[58]$`));
    const [rom] = await notes({ elf }, ["Backtrace: 0x40000410:0x3ffb4f50"]);
    t.is(rom, "#0 0x40000410: no function of this program");
  },
);

const CODE = { name: ".text", flags: 6, address: 0x400d0000, bytes: new Uint8Array(64) };
const PROGRAM = elfFile([CODE], [{ name: "app_main", value: 0x400d0000, size: 64, type: 2 }], 94);
const BACKTRACE = "Backtrace: 0x400d0010:0x3ffb4f50";

test("without addr2line functions alone, and once what is missing", async (t) => {
  const folder = scratch(t);
  const elf = join(folder, "app.elf");
  writeFileSync(elf, PROGRAM);
  t.deepEqual(await notes({ elf, path: join(folder, "bin") }, [BACKTRACE, BACKTRACE]), [
    "for files and lines, xtensa-esp32-elf-addr2line must be in PATH",
    "#0 0x400d0010: app_main + 0x10",
    "#0 0x400d0010: app_main + 0x10",
  ]);
});

test("an addr2line that fails, or knows nothing, is named once", async (t) => {
  const folder = scratch(t);
  const elf = join(folder, "app.elf");
  const path = join(folder, "bin");
  mkdirSync(path);
  writeFileSync(elf, PROGRAM);
  const tool = join(path, "xtensa-esp32-elf-addr2line");
  writeFileSync(tool, "#!/bin/sh\necho 0x400d0010\necho '??:0'\n");
  chmodSync(tool, 0o700);
  const [silent, named] = await notes({ elf, path }, [BACKTRACE]);
  t.regex(silent!, /app\.elf has no debug information/);
  t.is(named, "#0 0x400d0010: app_main + 0x10");
  writeFileSync(tool, "#!/bin/sh\nexit 3\n");
  t.regex((await notes({ elf, path }, [BACKTRACE]))[0]!, /^no files and lines: Command failed/);
});

test("without an ELF file, or with one that is none, one line says so", async (t) => {
  const missing = "no names for these addresses: give the ELF file of the firmware with --elf FILE";
  t.deepEqual(await notes({}, [BACKTRACE, BACKTRACE]), [missing]);
  const elf = join(scratch(t), "app.elf");
  for (const [bytes, why] of [
    [Buffer.from("text"), /no ELF header/],
    [PROGRAM.subarray(0, 100), /lies beyond the end/],
  ] as const) {
    writeFileSync(elf, bytes);
    const said = await notes({ elf }, [BACKTRACE, BACKTRACE]);
    t.is(said.length, 1);
    t.regex(said[0]!, why);
  }
  rmSync(elf);
  t.regex((await notes({ elf }, [BACKTRACE]))[0]!, /app\.elf: ENOENT/);
});

test("names of another build are called that", async (t) => {
  const folder = scratch(t);
  const elf = join(folder, "app.elf");
  writeFileSync(elf, PROGRAM);
  const said = await notes({ elf, path: folder }, [BACKTRACE, "ELF file SHA256: 000000000"]);
  t.regex(
    said.join("\n"),
    /these names are of another build: .* SHA-256 000000000\.\.\., .*app\.elf [0-9a-f]{9}\.\.\./,
  );
});

test("addr2line's words: what was inlined, unknown lines, discriminators", (t) => {
  const output = [
    "0x400d0010",
    "/src/tide.h:3",
    "/src/tide.c:12 (discriminator 2)",
    "0x400d0014",
    "??:0",
    "0x400d0018",
    "??:?",
    "0x400d001c",
    "C:\\src\\tide.c:7",
    "",
  ].join("\r\n");
  t.deepEqual(parseLines(output, 5), [
    ["/src/tide.h:3", "/src/tide.c:12"],
    [],
    [],
    ["C:\\src\\tide.c:7"],
    [],
  ]);
});
