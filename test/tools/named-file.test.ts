// What a user may name where a file is wanted.

import test, { type ExecutionContext } from "ava";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readNamedFile, readNamedText } from "../../tools/named-file.js";
import { code } from "../contract/serial-port.js";
import { seededRandom } from "../support/random.js";

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-named-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a file is read whole, whatever its length", (t) => {
  const random = seededRandom(64);
  const path = join(scratch(t), "app.bin");
  for (const length of [0, 1, 65_535, 65_536, 65_537, 300_000]) {
    const bytes = random.bytes(length);
    writeFileSync(path, bytes);
    t.true(Buffer.from(readNamedFile(path)).equals(bytes), String(length));
  }
});

test("a pipe is read to its end", async (t) => {
  const fifo = join(scratch(t), "answers");
  const bytes = Buffer.alloc(200_000, "tide ");
  const made = spawn("mkfifo", [fifo]);
  t.is(await new Promise((resolve) => made.once("close", resolve)), 0);
  const writer = spawn("sh", ["-c", 'cat > "$0"', fifo], { stdio: ["pipe", "ignore", "inherit"] });
  writer.stdin.end(bytes);
  await new Promise((resolve) => setTimeout(resolve, 100)); // the pipe's buffer takes 64 KB until it is read
  const reader = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", readerOf(fifo)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  reader.stdout.on("data", (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => reader.once("close", resolve));
  t.is(said, String(bytes.length));
});

const readerOf = (fifo: string) => `
  import { readNamedFile } from ${JSON.stringify(join(import.meta.dirname, "../../tools/named-file.ts"))};
  process.stdout.write(String(readNamedFile(${JSON.stringify(fifo)}).length));
`;

test("what has no end, or is larger than any image, is refused", (t) => {
  const sparse = join(scratch(t), "disk.img");
  writeFileSync(sparse, "");
  truncateSync(sparse, 3 * 2 ** 30);
  for (const path of ["/dev/zero", sparse]) {
    const thrown = t.throws(() => readNamedFile(path));
    t.is(code(thrown), "file-too-large");
    t.true(thrown!.message.includes(path));
  }
});

test("a folder, and what is not there, are named", (t) => {
  const folder = scratch(t);
  for (const path of [folder, join(folder, "none")]) {
    const thrown = t.throws(() => readNamedFile(path));
    t.is(code(thrown), "file-unreadable");
    t.true(thrown!.message.startsWith(`${path}: `), thrown!.message);
  }
});

test("a text may have a byte order mark; other encodings are refused with the file's name", (t) => {
  const path = join(scratch(t), "answers.json");
  writeFileSync(path, '\ufeff{"wifi.ssid":"B\u00fchne"}');
  t.is(readNamedText(path), '{"wifi.ssid":"B\u00fchne"}');
  for (const bytes of [Buffer.from("\ufeff{}", "utf16le"), Buffer.from("B\xfchne", "latin1")]) {
    writeFileSync(path, bytes);
    const thrown = t.throws(() => readNamedText(path));
    t.is(code(thrown), "value-not-utf8");
    t.true(thrown!.message.startsWith(`${path}: `), thrown!.message);
  }
});
