// The chips that this version supports, by the names users write.

import { BroomeError } from "../error.js";
import type { Chip } from "./chip.js";
import { esp32 } from "./esp32.js";
import { esp32c3 } from "./esp32c3.js";
import { esp32c6 } from "./esp32c6.js";
import { esp32s3 } from "./esp32s3.js";
import { esp8266 } from "./esp8266.js";

const chips: readonly Chip[] = [esp32c3, esp32, esp8266, esp32s3, esp32c6];

/** The chip of a build that names none. */
export const defaultChip = "esp32c3";

export function chipNames(): string[] {
  return chips.map((chip) => chip.name);
}

/** The chip called `name` ("esp32c3", "ESP32-C3"). Throws `chip-unsupported`. */
export function chipByName(name: string): Chip {
  const wanted = name.toLowerCase().replaceAll("-", "");
  return find((chip) => chip.name === wanted, `"${name}"`);
}

/** The chip whose images bear `chipId` in their header, or none at all. Throws `chip-unsupported`. */
export function chipByImageId(chipId: number | undefined): Chip {
  return find((chip) => chip.image.chipId === chipId, `chip id ${chipId}`);
}

export function allChips(): readonly Chip[] {
  return chips;
}

function find(matches: (chip: Chip) => boolean, words: string): Chip {
  const chip = chips.find(matches);
  if (!chip)
    throw new BroomeError(
      "chip-unsupported",
      `${words} is not supported yet`,
      `Supported by this version: ${chipNames().join(", ")}.`,
    );
  return chip;
}
