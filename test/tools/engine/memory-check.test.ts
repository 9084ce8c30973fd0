// The C host under valgrind (64-bit build, because valgrind cannot start 32-bit ones): no invalid access, no leak.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { FRAME, type Value, encodeFrame } from "../../../tools/engine/bus-frame.js";
import { ESP8266_CREATION, link, prepareEngine } from "../../../tools/engine/engine.js";

const missing = spawnSync("valgrind", ["--version"]).status !== 0;
if (missing)
  console.error(
    "!!! valgrind is not installed: the engine's memory is NOT checked (apt install valgrind) !!!",
  );
const check = missing && process.env["BROOME_NO_SKIP"] !== "1" ? test.skip : test;

interface Case {
  modules: Record<string, string>;
  preload?: string[];
  /** What the machine is told, in this order; then the bus closes. */
  frames: Buffer[];
  /** The exit code of the engine: 0 when the bus closed, 1 after an abort. */
  code: number;
}

const reply = (value: Value): Buffer => encodeFrame(FRAME.reply, [], [value]);
const event = (...values: Value[]): Buffer => encodeFrame(FRAME.event, [0], values);
const one = (source: string): Record<string, string> => ({ "app/main": source });

const CASES: Record<string, Case> = {
  "a program that computes, collects and waits": {
    modules: {
      "app/main": `import { Box } from "./box.js"; const box = new Box();
        globalThis.onBusEvent = async (name, ...args) => {
          for (let i = 0; i < 300; i++) box.put({ i, text: "n" + i, n: BigInt(i) ** 5n, r: /(\\d+)/.exec("x" + i)[1] });
          const view = new Uint8Array(bus("bytes")); bus("log", name, args, JSON.stringify([...view]), await box.sum(), new Date(Date.now()).toISOString(), Math.random());
        };`,
      "app/box": `export class Box { #all = []; put(o) { this.#all.push(o); if (this.#all.length > 20) this.#all = this.#all.slice(10) }
        async sum() { let s = 0; for await (const o of this.#all) s += o.i; return s } }`,
    },
    preload: ["app/box"],
    frames: [
      event("go", 1, ["x", Uint8Array.of(1, 2)]),
      reply(Uint8Array.of(9, 8)),
      reply(1e12),
      reply(Uint8Array.of(1, 2, 3, 4)),
      reply(undefined),
    ],
    code: 0,
  },
  "the device's native code, with good and bad arguments": {
    modules: one(`const key = new Uint8Array(32).fill(9), signature = new Uint8Array(64);
      const shared = x25519(key, new Uint8Array(x25519(key)));
      for (const bad of [() => x25519(), () => x25519(key, shared.slice(1)), () => ed25519Verify(1, key, key)])
        try { bad() } catch { signature[0]++ }
      bus("log", shared.byteLength, signature[0], ed25519Verify(key, new Uint8Array(shared, 1, 5), signature))`),
    frames: [reply(undefined)],
    code: 0,
  },
  "an error from the board": {
    modules: one(`try { bus("x") } catch (e) { bus("log", e.code) }`),
    frames: [encodeFrame(FRAME.error, [], ["code", "message"]), reply(undefined)],
    code: 0,
  },
  "a bus that closes during a call": { modules: one(`bus("x")`), frames: [], code: 0 },
  "an exception": { modules: one(`null.x`), frames: [], code: 1 },
  "memory full": { modules: one(`const a = []; for (;;) a.push({})`), frames: [], code: 1 },
  "stack overflow": { modules: one(`JSON.parse("[".repeat(1000))`), frames: [], code: 1 },
  "a malformed frame": { modules: one(`bus("x")`), frames: [Buffer.of(2, 0, 0, 0, 0x11, 99)], code: 1 },
};

for (const [name, { modules, preload, frames, code }] of Object.entries(CASES)) {
  check(`${name}: nothing to complain about`, async (t) => {
    if (missing) return t.fail("valgrind is not installed");
    const dir = mkdtempSync(join(tmpdir(), "broome-valgrind-"));
    const engine = await prepareEngine({ cacheDir: ".broome", bits: 64 });
    const linker = { ...engine, binary: join(dir, "link") };
    const prefix = `exec valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible`;
    writeFileSync(linker.binary, `#!/bin/sh\n${prefix} --log-file=${dir}/link.log ${engine.binary} "$@"\n`, {
      mode: 0o755,
    });
    const sources = Object.entries(modules).map(([module, source]) => ({ name: module, source }));
    const { archive } = await link(linker, {
      modules: sources,
      preload: preload ?? [],
      resources: [{ name: "r", data: Uint8Array.of(1) }],
    });
    t.is(readFileSync(join(dir, "link.log"), "utf8"), "");
    writeFileSync(join(dir, "flash"), archive);
    writeFileSync(join(dir, "frames"), Buffer.concat(frames));
    const c = ESP8266_CREATION;
    const creation = [
      c.staticSize * 2,
      c.chunkInitial,
      c.chunkIncrement,
      c.heapInitial,
      c.heapIncrement,
      c.stack,
    ];
    const args = ["run", `${dir}/flash`, 0, archive.length, "app/main", ...creation, 32, 32, 53, 3].join(" ");
    const command = `${prefix} --log-file=${dir}/run.log ${engine.binary} ${args} 3<${dir}/frames 4>/dev/null`;
    const result = await new Promise<number | string>((resolve) =>
      execFile("sh", ["-c", command], (error) => resolve(error ? (error.code ?? -1) : 0)),
    );
    t.is(readFileSync(join(dir, "run.log"), "utf8"), "");
    t.is(result, code);
    rmSync(dir, { recursive: true });
  });
}
