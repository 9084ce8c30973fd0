// Where chips of the ESP32 family keep their MAC: two words of eFuse, the address in the order in which it is written.

import type { BitField } from "./chip.js";

/** Its six bytes, the first one first: two in the low half of the second word, four in the first word. */
export function macBytes(firstWord: number): BitField[] {
  const byte = (address: number, shift: number): BitField => ({ address, shift, bits: 8 });
  const high = firstWord + 4;
  return [
    byte(high, 8),
    byte(high, 0),
    byte(firstWord, 24),
    byte(firstWord, 16),
    byte(firstWord, 8),
    byte(firstWord, 0),
  ];
}
