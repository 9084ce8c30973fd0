// Fuzz of what a chip says when it crashes: lines of real dumps, cut, mixed and repeated.

import { CrashReader } from "../../tools/serial/native-crash.js";
import { damage, pick } from "../support/damage.js";
import { must, type Fuzz } from "./fuzz.js";

const LINES = [
  "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
  "Backtrace: 0x400d1234:0x3ffb1234 0x400d5678:0x3ffb1250 |<-CORRUPTED",
  "abort() was called at PC 0x400d3f5b on core 0",
  "MEPC    : 0x42006b1a  RA      : 0x42006b0e  SP      : 0x3fc92d50  GP      : 0x3fc8b200  ",
  "Stack memory:",
  "3fc92d50: 0x00000000 0x3c023000 0x42006b0e 0x00000000 0x00000000 0x00000000 0x00000000 0x00000000",
  "ELF file SHA256: 0123456789abcdef",
  "epc1=0x4000bf64, epc2=0x00000000, epc3=0x40100004, excvaddr=0x00000008, depc=0x00000000",
  ">>>stack>>>",
  "3ffffde0:  3ffe8534 00000000 40201abc 40100f3c  ",
  "<<<stack<<<",
  "",
];

export const crash: Fuzz = {
  name: "native crash",
  try(random) {
    const reader = new CrashReader();
    for (let i = 0; i < 12; i += 1) {
      const line = pick(random, LINES);
      const text =
        random.below(2) === 0
          ? line
          : Buffer.from(damage(random, new Uint8Array(Buffer.from(line)))).toString();
      const { mentions, elfSha256 } = reader.line(text);
      must(mentions.length <= 101, "more addresses than a line can hold");
      for (const { label, address, maybe } of mentions) {
        must(Number.isInteger(address) && address >= 0 && address < 2 ** 32, "no address");
        must(maybe === (label === "stack"), "a word of the stack that is certain");
        const digits = address.toString(16);
        must(label === "abort()" || text.toLowerCase().includes(digits), "an address that was not said");
      }
      must(elfSha256 === undefined || text.includes(elfSha256), "a sum that was not said");
    }
  },
};
