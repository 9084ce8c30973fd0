// Archives: what is read of them, and that broken ones are refused before anything runs.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { BroomeError } from "../../../tools/error.js";
import { ESP8266_CREATION, link, readArchive } from "../../../tools/engine/engine.js";
import { runArchive, testEngine } from "./run-modules.js";

const SEED = Number(process.env["BROOME_SEED"] ?? 20241);
const MUTATIONS = 1000;

async function sample(): Promise<Uint8Array> {
  const { archive } = await link(await testEngine(), {
    modules: [
      {
        name: "app/main",
        source: `import { greet } from "./greet.js"; bus("log", greet("you"), resource("r").byteLength);`,
      },
      {
        name: "app/greet",
        source: `const words = { hello: "hello" };\nexport function greet(who) {\n  return words.hello + who;\n}`,
      },
    ],
    preload: ["app/greet"],
    resources: [{ name: "r", data: Uint8Array.of(1, 2, 3) }],
  });
  return archive;
}

test("the facts of an archive", async (t) => {
  const archive = await sample();
  const info = readArchive(archive);
  t.is(info.version, `${(await testEngine()).xs}/1`);
  t.is(info.size, archive.length);
  t.is(info.rootHash.length, 16);
  t.deepEqual(info.preload, ["app/greet"]);
  t.deepEqual(
    info.modules.map((module) => module.name),
    ["app/main", "app/greet"],
  );
  t.deepEqual(
    info.resources.map(({ name, size }) => [name, size]),
    [["r", 3]],
  );
  t.deepEqual(info.symbols.slice(0, 2), ["app/main", "app/greet"]);
  t.true(info.symbols.includes("words"));
});

test("linking is deterministic", async (t) => {
  t.deepEqual(await sample(), await sample());
});

test("an archive may be followed by other bytes", async (t) => {
  const archive = await sample();
  const outcome = await runArchive(Buffer.concat([archive, Buffer.alloc(100, 0xff)]), { main: "app/main" });
  t.deepEqual(outcome.log, [["helloyou", 3]]);
});

test("an archive that is cut anywhere is refused, by the reader and by the engine", async (t) => {
  const archive = await sample();
  for (let size = 0; size < archive.length; size++) {
    const error = t.throws(() => readArchive(archive.subarray(0, size)), { instanceOf: BroomeError });
    t.is(error.code, "archive-invalid", String(size));
  }
  for (const size of [1, 7, 8, 20, archive.length >> 1, archive.length - 1]) {
    const outcome = await runArchive(archive.subarray(0, size), { main: "app/main" });
    t.is(outcome.exit.abort?.status, "archive-invalid", String(size));
  }
});

test("an archive outside of the flash file is refused", async (t) => {
  const engine = await testEngine();
  const dir = mkdtempSync(join(tmpdir(), "broome-archive-"));
  const file = join(dir, "flash");
  writeFileSync(file, await sample());
  for (const [offset, size] of [
    [0, 1 << 20],
    [1 << 20, 8],
    [4, 0],
  ]) {
    t.is((await start(engine.binary, file, offset!, size!)).status, "archive-invalid");
  }
  t.is((await start(engine.binary, join(dir, "none"), 0, 8)).status, "archive-invalid");
  rmSync(dir, { recursive: true });
});

/** Headers of all atoms, and the bytes of those that hold no code: where structure lies. */
function structureOf(archive: Uint8Array): number[] {
  const info = readArchive(archive);
  const inside = (at: number) =>
    [...info.modules, ...info.resources].some((x) => at >= x.offset && at < x.offset + x.size);
  return Array.from(archive.keys()).filter((at) => !inside(at));
}

test(`${MUTATIONS} mutations of the structure never crash the engine (seed ${SEED})`, async (t) => {
  const engine = await testEngine();
  const archive = await sample();
  const places = structureOf(archive);
  const random = mulberry32(SEED);
  const dir = mkdtempSync(join(tmpdir(), "broome-fuzz-"));
  const seen: Record<string, number> = {};
  const one = async (n: number) => {
    const mutant = Buffer.from(archive);
    const count = 1 + Math.floor(random() * 2);
    for (let i = 0; i < count; i++)
      mutant[places[Math.floor(random() * places.length)]!] = Math.floor(random() * 256);
    const file = join(dir, String(n % 8));
    writeFileSync(file, mutant);
    const { signal, status, message } = await start(engine.binary, file, 0, mutant.length);
    seen[status ?? "ran"] = (seen[status ?? "ran"] ?? 0) + 1;
    t.is(signal, null, `seed ${SEED}, mutation ${n}: ${message}`);
    t.not(status, "crash", `seed ${SEED}, mutation ${n}: ${message}`);
  };
  for (let n = 0; n < MUTATIONS; n += 4) await Promise.all([one(n), one(n + 1), one(n + 2), one(n + 3)]);
  t.log(seen);
  t.true((seen["archive-invalid"] ?? 0) > MUTATIONS / 4);
  rmSync(dir, { recursive: true });
});

interface Ended {
  signal: NodeJS.Signals | null;
  status?: string;
  message?: string;
}

/** Runs an archive without a board: the first call or idle finds the bus closed, which ends the machine. */
function start(binary: string, file: string, offset: number, size: number): Promise<Ended> {
  const c = ESP8266_CREATION;
  const scale = 2; // enough for slots of 32 bytes too
  const creation = [
    c.staticSize * scale,
    c.chunkInitial,
    c.chunkIncrement,
    c.heapInitial,
    c.heapIncrement,
    c.stack,
  ];
  const keys = [c.keyInitial, c.keyIncrement, c.nameModulo, c.symbolModulo];
  const args = [binary, "run", file, offset, size, "app/main", ...creation, ...keys].map(String);
  return new Promise((resolve) => {
    execFile(
      "sh",
      ["-c", `exec "$@" 3</dev/null 4>&1`, "sh", ...args],
      { encoding: "latin1" },
      (error, output) => {
        const signal = (error as { signal?: NodeJS.Signals } | null)?.signal ?? null;
        const abort = /\x03\x06.\0\0\0([a-z -]+)\x06.\0\0\0(.*)$/s.exec(output);
        resolve(abort ? { signal, status: abort[1]!, message: abort[2]! } : { signal });
      },
    );
  });
}

function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let x = Math.imul(a ^ (a >>> 15), a | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
