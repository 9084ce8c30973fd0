// Stands where the engine's program stands and writes down what it is told and what it says, frame by frame:
// node recorder.mjs ENGINE FOLDER run FILE OFFSET SIZE MAIN CREATION...
// Plain JavaScript: it starts at every boot of the board, and must start fast.

import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, openSync, readSync, readdirSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";

const [engine, folder, ...args] = process.argv.slice(2);
const [, file, offset, size, ...rest] = args;
const dir = join(folder, `boot-${readdirSync(folder).length + 1}`);
mkdirSync(dir);
// The archive as it is now: the slot it lies in may be written over later.
const archive = Buffer.alloc(Number(size));
readSync(openSync(file, "r"), archive, 0, archive.length, Number(offset));
writeFileSync(join(dir, "flash"), archive);
writeFileSync(join(dir, "arguments"), ["flash", 0, size, ...rest].join("\n") + "\n");
writeFileSync(join(dir, "in"), "");
writeFileSync(join(dir, "out"), "");

const child = spawn(engine, args, { stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"] });
const fromBoard = new Socket({ fd: 3 });
const toBoard = new Socket({ fd: 4 });
fromBoard.on("data", (bytes) => {
  appendFileSync(join(dir, "in"), bytes);
  child.stdio[3].write(bytes);
});
child.stdio[4].on("data", (bytes) => {
  appendFileSync(join(dir, "out"), bytes);
  toBoard.write(bytes);
});
for (const stream of [fromBoard, toBoard, child.stdio[3], child.stdio[4]])
  stream.on("error", () => undefined);
fromBoard.on("close", () => child.stdio[3].end());
child.on("close", (code) => process.exit(code ?? 1));
