// What is read out of a native crash. The lines are in the form of ESP-IDF's panic.c and panic_arch.c, of the ESP8266's SDK, and of
// the Arduino core's core_esp8266_postmortem.cpp.

import test from "ava";
import { CrashReader } from "../../../tools/serial/native-crash.js";

function read(text: string) {
  const reader = new CrashReader();
  const said = text.split("\n").map((line) => reader.line(line));
  return {
    mentions: said.flatMap(({ mentions }) =>
      mentions.map(
        ({ core, label, address, maybe }) => `${core} ${label} ${address.toString(16)}${maybe ? "?" : ""}`,
      ),
    ),
    elf: said.map(({ elfSha256 }) => elfSha256).find((sum) => sum !== undefined),
  };
}

test("ESP32: the backtrace, its registers left out, which say the same", (t) => {
  const { mentions, elf } =
    read(`Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.

Core  0 register dump:
PC      : 0x400d3f5b  PS      : 0x00060730  A0      : 0x800d1f20  A1      : 0x3ffb4f50\r
EXCVADDR: 0x00000008  LBEG    : 0x4000c46c  LEND    : 0x4000c477  LCOUNT  : 0xffffffff\r


Backtrace: 0x400d3f58:0x3ffb4f50 0x400d1f1d:0x3ffb4f70 0x4008a4f1:0x3ffb4f90 |<-CORRUPTED\r


ELF file SHA256: 0c6f2e7a1b34d5f8

Rebooting...`);
  t.deepEqual(mentions, ["esp32 #0 400d3f58", "esp32 #1 400d1f1d", "esp32 #2 4008a4f1"]);
  t.is(elf, "0c6f2e7a1b34d5f8");
});

test("abort() does not say which core it is: the line after it does", (t) => {
  const { mentions } = read(
    "\nabort() was called at PC 0x400d3f5b on core 0\n\n\nBacktrace: 0x40081a2d:0x3ffb4f30\n",
  );
  t.deepEqual(mentions, ["esp32 abort() 400d3f5b", "esp32 #0 40081a2d"]);
  t.deepEqual(read("abort() was called at PC 0x4200701e on core 0").mentions, []);
});

test("RISC-V: where it was, where it came from, and the words of the stack until the dump ends", (t) => {
  const { mentions } = read(`Core  0 register dump:
MEPC    : 0x42006b1a  RA      : 0x42006b0e  SP      : 0x3fc92d50  GP      : 0x3fc8b200  \r
MSTATUS : 0x00001881  MTVEC   : 0x40380001  MCAUSE  : 0x00000005  MTVAL   : 0x00000008  \r
\r
Stack memory:\r
3fc92d50: 0x00000000 0x42006b0e\r
3fc92d58: 0xa5a5a5a5 0x4038012c\r
\r
\r
ELF file SHA256: 0123456789abcdef
3fc92d58: 0xa5a5a5a5 0x4038012c`);
  t.deepEqual(mentions, [
    ...["riscv MEPC 42006b1a", "riscv RA 42006b0e"],
    ...["riscv stack 0?", "riscv stack 42006b0e?", "riscv stack a5a5a5a5?", "riscv stack 4038012c?"],
  ]);
});

test("ESP8266, its SDK's words: counters that are zero are left out, the first is not", (t) => {
  const { mentions } = read(
    "Fatal exception 28(LoadProhibitedCause):\nepc1=0x40201abc, epc2=0x00000000, epc3=0x40100004, excvaddr=0x00000008, depc=0x00000000",
  );
  t.deepEqual(mentions, ["esp8266 epc1 40201abc", "esp8266 epc3 40100004"]);
});

test("ESP8266, Arduino core: the stack between its marks, the frame's mark < too", (t) => {
  const { mentions } = read(`Exception (28):
epc1=0x40201abc epc2=0x00000000 epc3=0x00000000 excvaddr=0x00000008 depc=0x00000000

>>>stack>>>

ctx: cont
sp: 3ffffde0 end: 3fffffd0 offset: 0190
3ffffde0:  3ffe8534 00000000 40201de4 40100f3c  
3ffffdf0:  feefeffe feefeffe 3ffe8514 40202001 <
<<<stack<<<
3ffffe00:  40201de4 40201de4 40201de4 40201de4  `);
  t.deepEqual(mentions, [
    "esp8266 epc1 40201abc",
    ...["3ffe8534", "0", "40201de4", "40100f3c"].map((word) => `esp8266 stack ${word}?`),
    ...["feefeffe", "feefeffe", "3ffe8514", "40202001"].map((word) => `esp8266 stack ${word}?`),
  ]);
});

test("text that only looks alike names nothing", (t) => {
  const texts = [
    "Backtrace: none",
    "RA: 0x42006b0e",
    "3fc92d50: 0x00000000",
    "epc4=0x40201abc",
    "ELF file SHA256: ?",
  ];
  for (const text of texts) t.deepEqual(new CrashReader().line(text).mentions, [], text);
});
