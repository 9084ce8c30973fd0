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
}
