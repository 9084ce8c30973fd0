// The checks of the device's C for X25519 and Ed25519, and what keeps its secret out of its time.

import type { Mutant } from "./mutants.js";

const vectors = ["test/firmware/native/curve25519.test.ts"];

const row = (name: string, file: string, find: string, replace: string, tests = vectors): Mutant => ({
  ...{ name: `curve25519: ${name}`, file: `firmware/native/curve25519-${file}.c`, find, replace, tests },
});

export const curve25519Mutants: readonly Mutant[] = [
  row(
    "S below the order",
    "ed25519",
    "if (!scalarDecode(&s, signature + 32)) return 0;",
    "scalarDecode(&s, signature + 32);",
  ),
  row("keys of small order", "ed25519", " || pointHasSmallOrder(&p)", ""),
  row("the sign of R", "ed25519", "memcmp(r, signature, sizeof r)", "memcmp(r, signature, 31)"),
  row("one encoding of a key", "edwards", "return memcmp(again, bytes, sizeof again) == 0;", "return 1;"),
  row("keys that are no points", "edwards", "if (!fieldEqual(&check, u)) return 0;", ""),
  row("the one representation", "field", "uint32_t carry = WRAP;", "uint32_t carry = 0;"),
  row("the top bit of a point", "field", "= buffer & TOP_MASK;", "= buffer & LIMB_MASK;"),
  row("clamping, low bits", "x25519", "if (index < 3) return 0;", ""),
  row("clamping, top bit", "x25519", "if (index == 254) return 1;", ""),
  row(
    "exchange without a branch",
    "field",
    "uint16_t mask = (uint16_t)(0 - bit);",
    "uint16_t mask = 0xffff;\n  if (!bit) return;",
    ["test/firmware/native/memory.test.ts", "test/isa/curve25519.test.ts"],
  ),
  row(
    "the length of a secret",
    "xs",
    'if (size != KEY_SIZE) xsRangeError("curve25519: 32 bytes are needed");',
    "",
    ["test/tools/engine/native.test.ts"],
  ),
  row(
    "the length of key and signature",
    "xs",
    "keySize == KEY_SIZE && signatureSize == SIGNATURE_SIZE &&",
    "keySize <= SIGNATURE_SIZE && signatureSize <= SIGNATURE_SIZE &&",
    ["test/tools/engine/native.test.ts"],
  ),
];
