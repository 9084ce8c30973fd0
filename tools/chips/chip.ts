// What a chip is to the flasher, the builder and the virtual ROM: data, no code. Generic code never asks which chip it is.

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
  readonly nvs: Region;
  readonly otadata: Region;
  readonly ota_0: Region;
  readonly ota_1: Region;
  /** The firmware's own log store. */
  readonly broome: Region;
}

/** Header fields of the app images that the builder makes; codes as in the image header. */
export interface ImageFields {
  /** `chip_id` of the extended header (esptool IMAGE_CHIP_ID). */
  readonly chipId: number;
  readonly flashMode: number; // 2 = DIO
  readonly flashSize: number; // high nibble of byte 3; 2 = 4 MB
  readonly flashFrequency: number; // low nibble of byte 3
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
  readonly banner: readonly string[];
  /** By cause as the firmware knows it: power-on, software, watchdog, exception, brownout, deep-sleep, external. */
  readonly resetCauses: Readonly<Record<string, string>>;
  readonly bootFromFlash: string;
  readonly bootDownload: string;
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
  /** Words of SPI_ATTACH's argument. */
  readonly attachWords: 1 | 2;
  /** The SPI controller of the flash; registers are offsets from `base`. */
  readonly spi: {
    readonly base: number;
    readonly usr: number;
    readonly usr1: number;
    readonly usr2: number;
    readonly mosiLength: number;
    readonly misoLength: number;
    readonly data: number;
    /** The address register is sent from its top bit, whatever the length. */
    readonly addressAtTop: boolean;
  };
  /** Words that hold the MAC: its last four bytes, then in the low half its first two. */
  readonly mac: readonly [number, number];
  readonly fields: {
    readonly package: FieldParts;
    readonly majorRevision: FieldParts;
    readonly minorRevision: FieldParts;
    readonly flashCapacity: FieldParts;
    readonly flashVendor: FieldParts;
  };
  readonly packages: Readonly<Record<number, string>>;
  readonly features: readonly string[];
  /** What `flashCapacity` means; a value that is not here means that there is no flash in the package. */
  readonly flashCapacities: Readonly<Record<number, string>>;
  readonly flashVendors: Readonly<Record<number, string>>;
  readonly crystal: number; // MHz
  /** Where a program may be loaded to. */
  readonly ram: readonly { readonly start: number; readonly end: number }[];
  /** The specimen that a virtual board has. */
  readonly specimen: {
    readonly package: number;
    readonly majorRevision: number;
    readonly minorRevision: number;
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
  /** Bytes of flash that the layout needs at least. */
  readonly flashSize: number;
  /** The serial bootloader in its ROM. */
  readonly rom: RomFacts;
}
