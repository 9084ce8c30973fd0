// Programs that compute where instruction sets and C libraries could differ: they tell the board what came out.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ESP8266_CREATION, link, run, type Engine } from "../../tools/engine/engine.js";
import { recorded, type Recording } from "./record.js";

/** A generator of the program's own (xorshift32): the same numbers everywhere. */
const CHANCE = (seed: number) =>
  `let state = ${seed | 1}; const chance = () => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return state >>> 0 };
const bits = new DataView(new ArrayBuffer(8)); const anyNumber = () => { bits.setUint32(0, chance()); bits.setUint32(4, chance());
  const kind = chance() % 8; if (kind === 0) return chance() | 0; if (kind === 1) return chance() / 2 ** (chance() % 90); if (kind === 2) bits.setUint8(0, chance() & 0x80), bits.setUint8(1, chance() & 0x0f);
  const n = bits.getFloat64(0); return n === n ? n : 0 };
globalThis.onBusEvent = () => undefined;
const tell = (n) => { bits.setFloat64(0, n); return n === n ? [bits.getInt32(0), bits.getInt32(4)] : "NaN" };`;

/** A NaN is told as that: which bits it has is nobody's promise (ECMA-262, SetValueInBuffer), and a signalling one differs. Loads of a DataView are aligned: XS's setters avoid others on the chips, its getters leave them to the platform. */
const PROGRAMS = (seed: number): Record<string, string> => ({
  "numbers: sum, difference, product, quotient, whole parts": `${CHANCE(seed)}
    for (let i = 0; i < 1500; i++) { const a = anyNumber(), b = i % 5 ? anyNumber() : a * (1 + 2 ** -(i % 53));
      bus("log", tell(a), tell(b), tell(a + b), tell(a - b), tell(a * b), tell(a / b), a | 0, b >>> 0, Math.fround(a), a < b, a === b, Math.trunc(b), a % 7) }`,
  "special numbers": `${CHANCE(seed)}
    const all = [0, -0, 1, -1, 0.5, 1 / 3, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, 5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, 3.4028235677973366e38, 1e-45, Infinity, -Infinity, NaN];
    for (const a of all) for (const b of all) bus("log", tell(a + b), tell(a - b), tell(a * b), tell(a / b), a | 0, a >>> 0, tell(Math.fround(a)), tell(Math.sqrt(a)), a < b, a >= b, Object.is(a, b))`,
  "numbers as text and back": `${CHANCE(seed)}
    for (let i = 0; i < 400; i++) { const a = anyNumber(); bus("log", String(a), tell(Number(String(a))), a.toFixed(i % 5), a.toPrecision(1 + i % 17), parseInt(String(a)), JSON.stringify([a, { a }])) }`,
  "integers, large and small": `${CHANCE(seed)}
    for (let i = 0; i < 300; i++) { const a = chance() | 0, b = chance() | 0 || 1; bus("log", Math.imul(a, b), (a / b) | 0, a % b, a >> (b & 31), a >>> (b & 31), a << (b & 31), Math.clz32(a), String(BigInt(a) ** 3n / BigInt(b)), String(BigInt(a) * BigInt(b) % 1000003n)) }`,
  "strings, patterns, dates, sorting": `${CHANCE(seed)}
    for (let i = 0; i < 40; i++) { const words = Array.from({ length: 12 }, () => (chance() % 1e6).toString(36)); bus("log", words.join(" "), words.sort().join(","), words.join("").replace(/[aeiou]+(\\d?)/g, "<$1>"), new Date(chance() * 400).toISOString(), escape(words[0] + "\\u00e4\\u20ac\\ud83d\\ude00").toUpperCase()) }`,
  "classes, generators, promises, collections": `${CHANCE(seed)}
    class Base { #n = 1; constructor(n) { this.#n = n } get n() { return this.#n } } class Twice extends Base { get n() { return 2 * super.n } }
    function* upTo(n) { for (let i = 0; i < n; i++) yield new Twice(i).n }
    const wait = async (n) => { await null; return n };
    globalThis.onBusEvent = async (name, n) => { const map = new Map(); for (const i of upTo(n)) map.set("k" + i, await wait(i));
      bus("log", name, [...map.entries()].length, Object.fromEntries(map) && [...map.values()].reduce((a, b) => a + b, 0)) }`,
  "typed arrays, bytes, views": `${CHANCE(seed)}
    for (let i = 0; i < 40; i++) { const bytes = Uint8Array.from({ length: 32 }, () => chance()), view = new DataView(bytes.buffer);
      bus("log", bytes.subarray(3, 29), view.getUint32(4, true), view.getInt16(6), tell(view.getFloat64(8)), tell(view.getFloat32(12)), new Uint16Array(bytes.buffer, 2, 9).join(), tell(new Float32Array([chance() / 7])[0]), bytes.slice(1).reverse()) }`,
  "errors with their places": `const f = (n) => n ? f(n - 1) : null.x;
    for (let i = 0; i < 5; i++) try { f(i) } catch (e) { bus("log", e.name, e.message, e.stack) }`,
  "memory full": `const all = []; globalThis.onBusEvent = () => { for (;;) all.push({ n: all.length, text: "x".repeat(9) }) }`,
  "stack overflow": `globalThis.onBusEvent = () => { const f = () => 1 + f(); f() }`,
});

/** Runs the programs on the engine of this computer. Gives a recording for each, by its name. */
export async function recordPrograms(
  engine: Engine,
  folder: string,
  seed: number,
): Promise<[name: string, Recording][]> {
  const recordings: [string, Recording][] = [];
  for (const [name, source] of Object.entries(PROGRAMS(seed))) {
    const dir = join(folder, `program-${recordings.length}`);
    mkdirSync(dir, { recursive: true });
    const { archive } = await link(engine, {
      modules: [{ name: "app/main", source }],
      preload: [],
      resources: [],
    });
    const flashFile = join(dir, "archive");
    writeFileSync(flashFile, archive);
    await live(recorded(engine, join(dir, "boots")), flashFile, archive.length);
    recordings.push([name, join(dir, "boots", "boot-1")]);
  }
  return recordings;
}

/** From the start over one event to the end. */
function live(engine: Engine, flashFile: string, size: number): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    const machine = run(engine, {
      ...{ flashFile, offset: 0, size, main: "app/main", creation: ESP8266_CREATION },
      onCall: () => undefined,
      onIdle() {
        if (told) machine.kill();
        else machine.event("go", 20);
        told = true;
      },
      onExit: () => resolve(),
    });
  });
}
