// The checks on bytes at rest: images, tables, the defaults block, patch and build.

import type { Mutant } from "./mutants.js";

const image = ["test/firmware/format/image.test.ts"];
const esp8266 = ["test/firmware/format/image-esp8266.test.ts"];
const tables = ["test/firmware/format/tables.test.ts"];
const patch = ["test/tools/patch/patch.test.ts"];
const command = ["test/tools/commands/patch.test.ts"];
const build = ["test/tools/build/build.test.ts"];

const row = (name: string, file: string, find: string, replace: string, tests: string[]): Mutant => ({
  ...{ name, file, find, replace, tests },
});

export const atRestMutants: readonly Mutant[] = [
  row("image: checksum", "firmware/format/image.ts", "if (checksum !== info.checksum)", "if (false)", image),
  row("image: SHA-256", "firmware/format/image.ts", "if (digest && !digest.valid)", "if (false)", image),
  row("image: truncated", "firmware/format/image-forms.ts", "if (end > limit)", "if (false)", image),
  row("image: magic", "firmware/format/image.ts", "if (first !== MAGIC)", "if (false)", image),
  row(
    "image: encrypted",
    "firmware/format/image-refusals.ts",
    "return distinct >= NOISE_VALUES;",
    "return false;",
    image,
  ),
  row("image: CRC-32", "firmware/format/image.ts", "if (crc && !crc.valid)", "if (false)", esp8266),
  row(
    "image: second header",
    "firmware/format/image-forms.ts",
    "if (header.getUint8(0) !== MAGIC)",
    "if (false)",
    esp8266,
  ),
  row(
    "image: the ESP8266's form",
    "firmware/format/image-forms.ts",
    "return top === 0x3f || top === 0x40;",
    "return false;",
    esp8266,
  ),
  row("image: signed", "firmware/format/image.ts", "if (isSigned(bytes, info.size))", "if (false)", image),
  row("image: leftovers", "firmware/format/image.ts", "if (bytes[i] !== 0xff)", "if (false)", image),
  row(
    "image: reads of 1 KB",
    "firmware/format/image.ts",
    "const READ_SIZE = 1024;",
    "const READ_SIZE = 65536;",
    image,
  ),
  row("app descriptor: magic", "firmware/format/app-descriptor.ts", "!== MAGIC)", "=== -1)", [
    ...image,
    ...build,
  ]),
  row(
    "app descriptor: text without end",
    "firmware/format/app-descriptor.ts",
    "if (end < 0 || end >= offset + size)",
    "if (false)",
    image,
  ),
  row(
    "defaults: CRC",
    "firmware/format/defaults-block.ts",
    "if (checksum(block, json) !== sum)",
    "if (false)",
    image,
  ),
  row(
    "defaults: two blocks",
    "firmware/format/defaults-block.ts",
    "if (found.length > 1)",
    "if (false)",
    image,
  ),
  row("defaults: flat", "firmware/format/defaults-block.ts", "if (!isFlat(json))", "if (false)", image),
  row(
    "defaults: capacity",
    "firmware/format/defaults-block.ts",
    "if (json.length > capacity)",
    "if (false)",
    image,
  ),
  row("table: MD5", "firmware/format/partition-table.ts", "if (md5) checkSum", "if (false) checkSum", tables),
  row(
    "otadata: CRC",
    "firmware/format/otadata.ts",
    "!isRuledOut(entry) && entry.crcGood",
    "!isRuledOut(entry)",
    tables,
  ),
  row(
    "otadata: aborted does not boot",
    "firmware/format/otadata.ts",
    " || entry.state === OTA_ABORTED",
    "",
    tables,
  ),
  row(
    "otadata: a trial ends at a reset",
    "firmware/format/otadata.ts",
    "if (entries[i].state === OTA_PENDING_VERIFY)",
    "if (false)",
    tables,
  ),
  row("UTF-8: half a pair", "firmware/format/utf8.ts", "(low & 0xfc00) !== 0xdc00", "false", [
    "test/firmware/format/utf8-crc32.test.ts",
  ]),
  row("UTF-8: overlong and surrogates", "firmware/format/utf8.ts", "next >= low && next <= high", "true", [
    "test/firmware/format/utf8-crc32.test.ts",
  ]),
  row(
    "patch: damaged block",
    "tools/patch/patch.ts",
    "const values = readDefaults(file.subarray(offset)) ?? {};",
    "const values = {};",
    patch,
  ),
  row(
    "patch: mends",
    "tools/patch/edits.ts",
    "changed.push(...mendImage(own",
    "changed.push(...mendImage(own.slice()",
    patch,
  ),
  row("patch: length of a value", "tools/patch/values.ts", "bytes > maxBytes &&", "false &&", patch),
  row("patch: not UTF-8", "tools/patch/values.ts", 'if (text.includes("\\ufffd"))', "if (false)", patch),
  row("patch: unknown key", "tools/patch/values.ts", "if (APP_KEY.test(key))", "if (true)", patch),
  row(
    "patch: secret on the command line",
    "tools/commands/patch-answers.ts",
    "if (isSecret(key))",
    "if (isSecret(key) && false)",
    command,
  ),
  row(
    "patch: not over its input",
    "tools/commands/patch-image.ts",
    "if (!sameFile(result, path)) return result;",
    "return result;",
    command,
  ),
  row("patch: private file", "tools/private-file.ts", "0o600", "0o644", command),
  row(
    "build: fits a slot",
    "tools/build/virtual-image.ts",
    "if (slotBytes(size) > slot)",
    "if (false)",
    build,
  ),
  row("build: blank", "tools/build/virtual-image.ts", "!== undefined)", "=== 1)", build),
  row(
    "build: module missing",
    "tools/build/check-imports.ts",
    "if (!names.has(wanted))",
    "if (false)",
    build,
  ),
  row("build: only main takes devices", "tools/build/check-imports.ts", "if (seam &&", "if (false &&", build),
  row("build: types", "tools/build/type-check.ts", "if (code === 0) return;", "return;", build),
  row("build: version", "tools/build/build.ts", "SEMVER.test(version) && ", "", build),
];
