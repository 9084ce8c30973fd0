// esp_app_desc_t (ESP-IDF, esp_app_desc.h): 256 bytes at the start of the first segment that say what an image is.

import { FormatError } from "./error.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export interface AppDescriptor {
  /** The security counter of updates (PROTOCOL section 3); u32. */
  readonly secureVersion: number;
  readonly version: string; // at most 31 bytes, as the other texts below where not stated
  readonly project: string;
  readonly time: string; // at most 15 bytes
  readonly date: string; // at most 15 bytes
  readonly idf: string; // the framework's version
  readonly elfSha256: Uint8Array; // 32 bytes; a name of the build, not a hash of the file
}

/** Where it lies in a file of the ESP32 family: at the beginning of the first segment's data, which is elsewhere in other forms. */
export const APP_DESCRIPTOR_OFFSET = 0x20;
export const APP_DESCRIPTOR_SIZE = 256;
const MAGIC = 0xabcd5432;

/** 256 bytes. Throws `value-too-long`, `value-not-utf8`. */
export function encodeAppDescriptor(descriptor: AppDescriptor): Uint8Array {
  const bytes = new Uint8Array(APP_DESCRIPTOR_SIZE);
  const out = new DataView(bytes.buffer);
  out.setUint32(0, MAGIC, true);
  out.setUint32(4, descriptor.secureVersion, true);
  putText(bytes, 16, 32, "version", descriptor.version);
  putText(bytes, 48, 32, "project", descriptor.project);
  putText(bytes, 80, 16, "time", descriptor.time);
  putText(bytes, 96, 16, "date", descriptor.date);
  putText(bytes, 112, 32, "idf", descriptor.idf);
  bytes.set(descriptor.elfSha256.subarray(0, 32), 144);
  return bytes;
}

/** The descriptor in `bytes` (256 of them). Throws `image-corrupt` where there is none, or a text has no end. */
export function parseAppDescriptor(bytes: Uint8Array): AppDescriptor {
  if (bytes.length < APP_DESCRIPTOR_SIZE)
    throw corrupt(`${bytes.length} bytes are too few for an app descriptor`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC)
    throw corrupt("the first segment does not begin with an app descriptor");
  return {
    secureVersion: view.getUint32(4, true),
    version: text(bytes, 16, 32, "version"),
    project: text(bytes, 48, 32, "project"),
    time: text(bytes, 80, 16, "time"),
    date: text(bytes, 96, 16, "date"),
    idf: text(bytes, 112, 32, "idf"),
    elfSha256: bytes.slice(144, 176),
  };
}

function putText(bytes: Uint8Array, offset: number, size: number, name: string, value: string): void {
  const encoded = encodeUtf8(value);
  if (encoded.length >= size)
    throw new FormatError(
      "value-too-long",
      `${name} "${value}" takes ${encoded.length} bytes, at most ${size - 1} fit`,
      "Shorten it.",
    );
  bytes.set(encoded, offset);
}

function text(bytes: Uint8Array, offset: number, size: number, name: string): string {
  const end = bytes.indexOf(0, offset);
  if (end < 0 || end >= offset + size) throw corrupt(`the app descriptor's ${name} has no end`);
  return decodeUtf8(bytes.subarray(offset, end));
}

function corrupt(message: string): FormatError {
  return new FormatError("image-corrupt", message, "Build the image again.");
}
