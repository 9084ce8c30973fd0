// Images as other projects distribute them: texts in an app, alone or merged with bootloader and partition table.

import { createHash } from "node:crypto";
import { buildImage, type ImageForm } from "../../../firmware/format/image.js";
import { encodePartitionTable } from "../../../firmware/format/partition-table.js";
import { seededRandom } from "../../support/random.js";
import { sha256 } from "../../firmware/format/test-image.js";

/** The placeholders of ESP_Binary_patcher as its README has them. */
export const placeholders = [
  "DEVCNAME        ",
  "WIFISSID        ",
  "WIFIPASS                ",
  "CLOUDNAM        ",
  "DEVCCRED        ",
];

export const laterPlaceholders = [
  "DEVCNAME                ",
  "WIFISSID                ",
  "WIFIPASS                ",
  "CLOUDNAM                ",
  "DEVCUSER                ",
  "DEVCCRED                ",
  "TZ_OFF  ",
  "DST_OFF ",
  "LONGTD  ",
  "LATITD  ",
  "OWMAPI                          ",
];

/** An app whose read-only data holds `texts` one behind the other, zero-terminated, between seeded bytes. */
export function appWith(
  texts: readonly string[],
  options: { form?: ImageForm; seed?: number } = {},
): Uint8Array {
  const random = seededRandom(options.seed ?? 11);
  const data = Buffer.concat([
    random.bytes(699),
    Buffer.from("\0" + texts.map((text) => `${text}\0`).join("")),
    random.bytes(400),
  ]);
  const segments = [
    { loadAddress: options.form === "esp8266" ? 0x40201010 : 0x3f400020, data: random.bytes(512) },
    { loadAddress: 0x3ffe8000, data: new Uint8Array(data) },
  ];
  return buildImage(
    {
      ...(options.form && { form: options.form }),
      ...{ chipId: 0, entry: 0x40080000, flashMode: 2, flashSize: 2, flashFrequency: 0 },
      ...{ minRevision: 0, maxRevision: 199, segments },
    },
    sha256,
  );
}

/** The second ESP8266 form: the part in flash in front, then an `esp8266` image, then a CRC. `texts` lie in the part that `where` says. */
export function v2AppWith(texts: readonly string[], where: "flash" | "ram"): Uint8Array {
  const inner = appWith(where === "ram" ? texts : [], { form: "esp8266" });
  const mapped = Buffer.alloc(1024, 0x11);
  if (where === "flash") Buffer.from("\0" + texts.map((text) => `${text}\0`).join("")).copy(mapped, 100);
  const header = Buffer.from([0xea, 4, 0, 0, 4, 0, 0x10, 0x40, 0, 0, 0, 0, 0, 4, 0, 0]);
  // padding: the checksum is the last byte of sixteen, counted from the file's start; the inner image begins at a multiple
  return new Uint8Array(Buffer.concat([header, mapped, inner, Buffer.alloc(4)]));
}

const APP_OFFSETS = [0x10000, 0x1f0000] as const;
const SLOT_SIZE = 0x1e0000;

const md5 = () => {
  const hash = createHash("md5");
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
};

/** As esptool's merge-bin makes it: bootloader, table, NVS of noise, one or two apps, FF between them. */
export function merged(
  apps: readonly Uint8Array[],
  options: { bootloaderOffset?: number; nvs?: Uint8Array } = {},
): Uint8Array {
  const last = apps.length - 1;
  const file = new Uint8Array(APP_OFFSETS[last]! + apps[last]!.length).fill(0xff);
  file.set(appWith(["a bootloader"], { seed: 5 }), options.bootloaderOffset ?? 0);
  const partitions = [
    { label: "nvs", type: 1, subtype: 2, offset: 0x9000, size: 0x5000, flags: 0 },
    ...APP_OFFSETS.map((offset, i) => ({
      ...{ label: `ota_${i}`, type: 0, subtype: 0x10 + i, offset, size: SLOT_SIZE, flags: 0 },
    })),
  ];
  file.set(encodePartitionTable(partitions, md5), 0x8000);
  file.set(options.nvs ?? seededRandom(3).bytes(500), 0x9000);
  apps.forEach((app, i) => file.set(app, APP_OFFSETS[i]!));
  return file;
}

/** eboot at 0, AA up to the app at 0x1000, as the ESP8266 core for Arduino has made them since its first versions, without its CRC. */
export function withEboot(app: Uint8Array): Uint8Array {
  const file = new Uint8Array(0x1000 + app.length).fill(0xaa);
  file.set(appWith(["eboot"], { form: "esp8266", seed: 8 }));
  file.set(app, 0x1000);
  return file;
}
