// What a chip is to the flasher, the builder and the virtual ROM: data, no code. Generic code never asks which chip it is.

import type { FlashChip } from "./flash-chip.js";

/** A stretch of flash, in bytes. */
export interface Region {
  readonly offset: number;
  readonly size: number;
}

/** Where things lie in flash (DESIGN.md, decision 4). */
export interface Layout {
  /** Travels in the update manifest: an image is only installed on the layout it was made for. */
  readonly name: string;
  readonly bootloader: Region;
  readonly partitionTable: Region;
  /** Left to the vendor's SDK: its settings and calibration. */
  readonly nvs: Region;
  /** Which slot boots. */
  readonly otadata: Region;
  readonly ota_0: Region;
  readonly ota_1: Region;
  /** The firmware's own log store. */
  readonly broome: Region;
}

/** Header fields of the app images that the builder makes; codes as in the image header. */
export interface ImageFields {
  /** What the chip's ROM or bootloader starts (firmware/format/image.ts, ImageForm). */
  readonly form: "esp32" | "esp8266";
  /** `chip_id` of the extended header (esptool IMAGE_CHIP_ID); undefined where images have none. */
  readonly chipId: number | undefined;
  readonly flashMode: number; // 2 = DIO
  readonly flashSize: number; // high nibble of byte 3; a key of flashSizes
  readonly flashFrequency: number; // low nibble of byte 3; a key of flashFrequencies
  /** What the nibbles mean on this chip. */
  readonly flashSizes: Readonly<Record<number, string>>;
  readonly flashFrequencies: Readonly<Record<number, string>>;
  readonly minRevision: number; // major * 100 + minor
  readonly maxRevision: number;
  /** Where the first segment (app descriptor, then read-only data) is mapped. */
  readonly dataAddress: number;
  /** Where the code segment is loaded; the entry is its first byte. */
  readonly codeAddress: number;
  /** The code that a board without the SDK's runtime gets: wait for ever. */
  readonly idleCode: readonly number[];
}

/** What the mask ROM prints at a reset, and the pin that it looks at. */
export interface StartText {
  /** Of the ROM's own messages; the bootloader and the app speak at 115200. */
  readonly baudRate: number;
  /** `{cause}` and `{mode}` are put in. */
  readonly lines: readonly string[];
  /** By cause as the firmware knows it: power-on, software, watchdog, exception, brownout, deep-sleep, external. */
  readonly resetCauses: Readonly<Record<string, string>>;
  readonly bootFromFlash: string;
  readonly bootDownload: string;
  /** What it prints while it loads a bootloader: `{flashMode}`, `{divider}`, `{entry}`, `{sum}`; of a segment its `{address}`, ... */
  readonly loading: {
    readonly before: readonly string[];
    readonly segment: readonly string[];
    readonly after: readonly string[];
  };
  /** What download mode says when it is ready, if anything. */
  readonly waiting: string | undefined;
  /** GPIO that selects download mode when it is low at a reset. */
  readonly strapPin: number;
  /** What a pulse on EN counts as. */
  readonly resetPinCause: "power-on" | "external";
}

/** Some bits of a 32-bit register. */
export interface BitField {
  readonly address: number;
  readonly shift: number;
  readonly bits: number;
}

/** A number that is kept in one or more bit fields, lowest part first. */
export type FieldParts = readonly BitField[];

/** What a field says, by its value. */
export interface Choice {
  readonly field: FieldParts;
  /** A value that is not here says nothing. */
  readonly texts: Readonly<Record<number, string>>;
}

/** Where a length is written, in bits less one. */
export interface LengthField {
  readonly offset: number; // of the register, from the controller's base
  readonly shift: number;
  readonly bits: number;
}

/** From `start` up to `end`, exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What clients of the serial bootloader read and send, and what a virtual ROM answers (esptool's targets/). */
export interface RomFacts {
  /** Id in the answer of GET_SECURITY_INFO; undefined where the ROM has no such command or no id in it. */
  readonly securityInfoId: number | undefined;
  /** Values of the word at 0x40001000, by which chips without that id are told. */
  readonly magic: readonly number[];
  /** Commands of the ROM, by the names of esptool's documentation. */
  readonly commands: readonly string[];
  /** Bytes of status behind every answer. */
  readonly statusLength: 2 | 4;
  /** Bytes of a write. */
  readonly blockSize: number;
  /** *_BEGIN has a fifth word (encrypted writes). */
  readonly extendedBegin: boolean;
  /** Words of SPI_ATTACH's argument; 0 where there is no such command and FLASH_BEGIN of nothing does it. */
  readonly attachWords: 0 | 1 | 2;
  /**
   * FLASH_BEGIN counts the sectors up to the next 64 KB boundary twice (ESP8266's SPIEraseArea) and so erases more than it is told;
   * clients ask for less.
   */
  readonly eraseBug?: true;
  /** The vendor's SDK gives the chip a number: the last three bytes of the MAC. */
  readonly hasChipId?: true;
  /** The SPI controller of the flash; registers are offsets from `base`. */
  readonly spi: {
    readonly base: number;
    readonly usr: number;
    readonly usr1: number;
    readonly usr2: number;
    readonly mosiLength: LengthField;
    readonly misoLength: LengthField;
    readonly data: number;
    /** The address register is sent from its top bit, whatever the length. */
    readonly addressAtTop: boolean;
  };
  /** The MAC, its first byte first. */
  readonly mac: readonly BitField[];
  /** Specimens with nothing in the first three bytes: whose they are says a code. */
  readonly macVendor?: {
    readonly field: FieldParts;
    readonly vendors: Readonly<Record<number, readonly [number, number, number]>>;
  };
  readonly fields: {
    readonly package: FieldParts;
    /** None: the chip has no revisions. */
    readonly majorRevision: FieldParts;
    readonly minorRevision: FieldParts;
    readonly flashCapacity: FieldParts;
    readonly flashVendor: FieldParts;
  };
  /** What `majorRevision` means, where it is not the number itself. */
  readonly majorRevisions?: Readonly<Record<number, number>>;
  readonly packages: Readonly<Record<number, string>>;
  /** Other names of packages, by major revision. */
  readonly packagesSince?: { readonly major: number; readonly packages: Readonly<Record<number, string>> };
  readonly features: readonly (string | Choice)[];
  /** What `flashCapacity` means; a value that is not here means that there is no flash in the package. */
  readonly flashCapacities: Readonly<Record<number, string>>;
  readonly flashVendors: Readonly<Record<number, string>>;
  readonly crystal: number; // MHz, of the specimen, and of all where there is no `uartClock`
  /** Chips with different crystals: baud rate times this register's divider is the UART's clock, `perCrystal` times the crystal's. */
  readonly uartClock?: { readonly divider: BitField; readonly perCrystal: number };
  /** Where a program may be loaded to. */
  readonly ram: readonly Span[];
  /** Fuses: WRITE_REG does not change them. */
  readonly fuses: Span;
  /** The specimen that a virtual board has. */
  readonly specimen: {
    readonly package: number;
    readonly majorRevision: number; // as people say it, like the next
    readonly minorRevision: number;
    /** Other words that clients read, by address. */
    readonly words: Readonly<Record<number, number>>;
  };
}

export interface Chip {
  /** As users write it: "esp32c3". */
  readonly name: string;
  /** As esptool writes it: "ESP32-C3". */
  readonly family: string;
  readonly layout: Layout;
  readonly image: ImageFields;
  readonly start: StartText;
  /** Versions of ESP-Touch that the vendor's code in it knows. */
  readonly touchVersions: readonly (1 | 2)[];
  /** Bytes of flash that the layout needs at least. */
  readonly flashSize: number;
  /** The flash chip that a virtual board has. */
  readonly flash: FlashChip;
  /** The serial bootloader in its ROM. */
  readonly rom: RomFacts;
}
