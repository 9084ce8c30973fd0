// The engine: what runs out of the flash, what ends a machine, and what a machine cannot do.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { BusError, link, readArchive } from "../../../tools/engine/engine.js";
import { runArchive, runModules, runSource, testEngine } from "./run-modules.js";

const LOG = `const log = (...args) => bus("log", ...args);\n`;

// ---- out of the flash ----------------------------------------------------------------------------------------------

test("a string that is changed in the flash changes what the program says", async (t) => {
  const outcome = await runModules({
    modules: {
      "app/main": `import { text } from "./text.js"; bus("log", text);`,
      "app/text": `export const text = "cat";`,
    },
    preload: ["app/text"],
    change: (flash) => flash.write("cow", flash.indexOf("cat\0")),
  });
  t.deepEqual(outcome.log, [["cow"]]);
});

test("the engine does not write the flash file", async (t) => {
  let before: Buffer | undefined;
  const outcome = await runSource(LOG + `globalThis.onBusEvent = () => log(resource("r").byteLength)`, {
    resources: [{ name: "r", data: new Uint8Array(5) }],
    events: [["go"]],
    change: (flash) => (before = Buffer.from(flash)),
  });
  t.deepEqual(outcome.log, [[5]]);
  t.truthy(before);
});

test("an archive that was linked for another engine is refused", async (t) => {
  const { archive } = await link(await testEngine(), {
    modules: [{ name: "a", source: `bus("log", 1)` }],
    preload: [],
    resources: [],
  });
  const other = Buffer.from(archive);
  other[other.indexOf("ROOT") + 4]! ^= 1;
  const outcome = await runArchive(other, { main: "a" });
  t.deepEqual(outcome.log, []);
  t.is(outcome.exit.abort?.status, "archive-mismatch");
});

test("resources lie 4-aligned and unchanged in the archive", async (t) => {
  const data = Uint8Array.from({ length: 37 }, (_, i) => i);
  const { archive } = await link(await testEngine(), {
    modules: [{ name: "a", source: "" }],
    preload: [],
    resources: [
      { name: "x", data: data.subarray(0, 1) },
      { name: "defaults.bin", data },
    ],
  });
  const found = readArchive(archive).resources.find((resource) => resource.name === "defaults.bin")!;
  t.is(found.offset % 4, 0);
  t.deepEqual(archive.slice(found.offset, found.offset + found.size), data);
});

const LANGUAGE: Record<string, [source: string, expected: unknown[]]> = {
  classes: [
    `class A { #p = 1; static s = 2; get p() { return this.#p } static has(x) { return #p in x } }
     class B extends A { q = super.p + 1; *[Symbol.iterator]() { yield this.q; yield A.s } }
     log(...new B(), A.has(new B()), A.has({}), new B() instanceof A)`,
    [2, 2, true, false, true],
  ],
  promises: [
    `const later = (v) => new Promise((resolve) => resolve(v));
     const f = async () => { try { await Promise.reject(new Error("e")) } catch (e) { return e.message } };
     log(await later(1), await Promise.all([later(2), f()]).then((v) => v.join()), (await Promise.allSettled([f()])).length)`,
    [1, "2,e", 1],
  ],
  "for await": [
    `async function* g() { for (let i = 0; i < 3; i++) yield i } let s = 0; for await (const v of g()) s += v; log(s)`,
    [3],
  ],
  "regular expressions": [
    `log("2024-05".replace(/(?<y>\\d+)-(?<m>\\d+)/, "$<m>/$<y>"), /^(?:a|b)+$/i.test("ABba"), "a1b22".match(/\\d+/g).join())`,
    ["05/2024", true, "1,22"],
  ],
  JSON: [
    `log(JSON.stringify({ a: [1, "é", null, true], n: -0.5 }), JSON.parse('{"x":{"y":[1,2]}}').x.y[1])`,
    ['{"a":[1,"é",null,true],"n":-0.5}', 2],
  ],
  BigInt: [`log(String(2n ** 64n - 1n), BigInt.asUintN(8, 257n) === 1n)`, ["18446744073709551615", true]],
  Date: [
    `log(new Date(1700000000123).toISOString(), new Date(2024, 1, 29).getTime() === Date.UTC(2024, 1, 29), Date.now())`,
    ["2023-11-14T22:13:20.123Z", true, 1234567890123],
  ],
  DataView: [
    `const v = new DataView(new ArrayBuffer(8)); v.setFloat32(0, 1.5); v.setUint16(4, 0xBEEF, true);
     log(v.getUint32(0), v.getUint8(4), new Uint8Array(v.buffer, 4, 2)[1])`,
    [0x3fc00000, 0xef, 0xbe],
  ],
  // As on boards, where XS counts code points and not UTF-16 units (Moddable, "XS Differences").
  strings: [
    "const s = 'a€😀'; log(s.length, [...s].length, s.codePointAt(2), `${s}!`.slice(1), s.padEnd(6, '.'))",
    [3, 3, 0x1f600, "€😀!", "a€😀..."],
  ],
  collections: [
    `const m = new Map([[1, "a"]]); m.set("k", 2); const w = new WeakMap(); const k = {}; w.set(k, 3);
     log([...m.keys()].join(), new Set([1, 1, 2]).size, w.get(k), Object.fromEntries(m).k)`,
    ["1,k", 2, 3, 2],
  ],
  operators: [
    `const o = { a: { b: 0 } }; let x = null; x ??= 5; log(o?.a?.b ?? 1, o.z?.y, x, 2 ** 10, 7 % -3, -7 >>> 28, 0.1 + 0.2)`,
    [0, undefined, 5, 1024, 1, 15, 0.1 + 0.2],
  ],
  "rounding of doubles": [
    `log(Math.fround(1.1), 1e21 + 1, 4.35 * 100, 1.005 * 1000, parseFloat("2.2250738585072014e-308"), (0.000001234).toString())`,
    [Math.fround(1.1), 1e21 + 1, 4.35 * 100, 1.005 * 1000, 2.2250738585072014e-308, "0.000001234"],
  ],
  proxies: [
    `log(new Proxy({}, { get: (_, k) => k + "!" }).x, Reflect.ownKeys({ a: 1, [Symbol.iterator]: 0 }).length)`,
    ["x!", 2],
  ],
  "tagged templates": ["const t = (s, ...v) => s.raw.join('|') + v; log(t`a${1}\\n${2}`)", ["a|\\n|1,2"]],
  destructuring: [
    `const { a, ...r } = { a: 1, b: 2, c: 3 }; const [x, , y = 9, ...z] = [1, 2, undefined, 4]; log(a, r.c, x, y, z[0])`,
    [1, 3, 1, 9, 4],
  ],
};

for (const [name, [source, expected]] of Object.entries(LANGUAGE)) {
  for (const preloaded of [false, true]) {
    test(`${name} work${preloaded ? " from a preloaded module" : ""}`, async (t) => {
      const body = `export async function run(log) { ${source} }`;
      const outcome = await runModules({
        modules: {
          "app/main": `import { run } from "./lib.js"; run((...a) => bus("log", ...a));`,
          "app/lib": body,
        },
        preload: preloaded ? ["app/lib"] : [],
        onCall: (op) => (op === "clock.now" ? 1234567890123 : undefined),
      });
      t.deepEqual(outcome.exit, { code: null });
      t.deepEqual(outcome.log, [expected]);
    });
  }
}

test("modules import each other by relative and by bare name, in circles, and by import()", async (t) => {
  const outcome = await runModules({
    modules: {
      "firmware/main": `import { a } from "./x/a.js"; import b from "device/b"; ${LOG} log(a(), b);
        import("./x/late.js").then((late) => log(late.default));`,
      "firmware/x/a": `import { b } from "../y/b.js"; export const a = () => "a" + b(); export const one = 1;`,
      "firmware/y/b": `import { one } from "../x/a.js"; export const b = () => "b" + one;`,
      "firmware/x/late": `export default "late";`,
      "device/b": `export default "bare";`,
    },
    preload: ["firmware/x/a"],
  });
  t.deepEqual(outcome.log, [["ab1", "bare"], ["late"]]);
});

// ---- ends ----------------------------------------------------------------------------------------------------------

const ENDS: Record<string, [source: string, status: string, message: RegExp]> = {
  "an exception": [`\n\nnull.x`, "exception", /^TypeError: .* at app\/main:3$/],
  "an exception that is no Error": [`throw "plain"`, "exception", /^plain$/],
  "an exception in a promise job": [
    `Promise.resolve().then(() => { throw new RangeError("r") })`,
    "exception",
    /^RangeError: r at app\/main:1$/,
  ],
  "an unhandled rejection": [
    `const p = Promise.reject(new Error("no")); globalThis.p = p;`,
    "exception",
    /^Error: no at app\/main:1$/,
  ],
  "a main module that rejects": [`await 1; throw new Error("late")`, "exception", /late at app\/main:1/],
  "objects without end": [
    `const a = []; for (;;) a.push({ a })`,
    "memory full",
    /chunks and \d+ of slots in (32768|65536) at app\/main:1/,
  ],
  "strings without end": [`let s = "x"; for (;;) s += s`, "memory full", /bytes more do not fit/],
  "names without end": [`const o = {}; for (let i = 0; ; i++) o["k" + i] = i`, "memory full", /do not fit/],
  "recursion without end": [
    `function f(n) { return 1 + f(n + 1) }\nf(0)`,
    "stack overflow",
    /^256 slots at app\/main:1 \(\d+\) < app\/main:1/,
  ],
  "deep JSON": [`JSON.parse("[".repeat(1000))`, "stack overflow", /256 slots/],
  "deep objects in JSON": [`JSON.parse('{"a":'.repeat(300))`, "stack overflow", /256 slots/],
  "a deep regular expression": [
    `new RegExp("(".repeat(2000) + ")".repeat(2000))`,
    "memory full|stack overflow|exception",
    /./,
  ],
  "many arguments": [`Math.max(...new Array(500).fill(1))`, "stack overflow", /256 slots/],
};

for (const [name, [source, status, message]] of Object.entries(ENDS)) {
  test(`${name} ends the machine cleanly`, async (t) => {
    const { exit } = await runSource(source);
    t.is(exit.code, 1);
    t.regex(exit.abort?.status ?? "", new RegExp(`^(${status})$`));
    t.regex(exit.abort?.message ?? "", message);
  });
}

test("a rejection that is handled before the machine is idle does not end it", async (t) => {
  const outcome = await runSource(
    LOG + `const p = Promise.reject(1); Promise.resolve().then(() => p.catch((e) => log(e)))`,
  );
  t.deepEqual(outcome.log, [[1]]);
  t.is(outcome.exit.abort, undefined);
});

test("an event without a handler, and one whose handler throws, end the machine", async (t) => {
  const without = await runSource("", { events: [["go"]] });
  t.is(without.exit.abort?.status, "exception");
  const throws = await runSource(`globalThis.onBusEvent = (name) => {\n  throw new Error(name);\n}`, {
    events: [["go"]],
  });
  t.is(throws.exit.abort?.message, "Error: go at app/main:2");
});

// ---- the root ------------------------------------------------------------------------------------------------------

const ROOT_WRITES: Record<string, [lib: string, call: string]> = {
  "a Map": [`const m = new Map();\nexport function write() {\n  return [m.set(1, 2)];\n}`, "write()"],
  "a Set": [`const m = new Set();\nexport function write() {\n  return [m.add(1)];\n}`, "write()"],
  "a WeakMap": [
    `const m = new WeakMap();\nexport function write(k = {}) {\n  return [m.set(k, 1)];\n}`,
    "write()",
  ],
  "a typed array": [
    `const m = new Uint8Array(4);\nexport function write() {\n  m[1] = 2; return 0;\n}`,
    "write()",
  ],
  "a DataView": [
    `const m = new DataView(new ArrayBuffer(4));\nexport function write() {\n  m.setUint8(0, 1); return 0;\n}`,
    "write()",
  ],
};

for (const [name, [lib, call]] of Object.entries(ROOT_WRITES)) {
  test(`writing ${name} of a preloaded module ends the machine and names the module`, async (t) => {
    const outcome = await runModules({
      modules: {
        "app/main": `import { write } from "./state.js"; bus("log", "before"); ${call}; bus("log", "after");`,
        "app/state": lib,
      },
      preload: ["app/state"],
    });
    t.deepEqual(outcome.log, [["before"]]);
    t.is(outcome.exit.abort?.status, "root-write");
    t.regex(outcome.exit.abort?.message ?? "", /^app\/state:3 writes/);
  });
}

test("bindings, objects and arrays of a preloaded module can be written: they are copied to the arena", async (t) => {
  const outcome = await runModules({
    modules: {
      "app/main": `import { run } from "./state.js"; bus("log", ...run(), ...run());`,
      "app/state": `let n = 0; const o = { n: 0 }; const a = [1]; export const run = () => [++n, ++o.n, a.push(2)];`,
    },
    preload: ["app/state"],
  });
  t.deepEqual(outcome.log, [[1, 1, 2, 2, 2, 3]]);
});

test("every binding and object of the root is copied, the first as well as the last", async (t) => {
  const numbers = Array.from({ length: 60 }, (_, i) => i);
  const state = numbers.map((i) => `let v${i} = ${i}; const o${i} = { n: ${i} };`).join("\n");
  const outcome = await runModules({
    modules: {
      "app/main": `import { run } from "./state.js"; bus("log", run().join(), run().join());`,
      "app/state": `${state}\nexport const run = () => [${numbers.map((i) => `++v${i} + ++o${i}.n`).join()}];`,
    },
    preload: ["app/state"],
  });
  const expected = [1, 2].map((n) => numbers.map((i) => 2 * (i + n)).join());
  t.deepEqual(outcome.log, [expected]);
});

test("what a board's linker freezes is frozen", async (t) => {
  const tries = {
    "a static field": `A.n = 1`,
    "a prototype": `A.prototype.m = 1`,
    "a function": `f.x = 1`,
    "a built-in prototype": `Array.prototype.last = 1`,
    "a built-in": `Math.PI = 3`,
    "an inherited name": `new E("x")`,
    "a global regular expression": `"aa".replace(G, "b")`,
    "a property of a Map": `M.x = 1`,
    "a property of a typed array": `U.x = 1`,
  };
  for (const [name, statement] of Object.entries(tries)) {
    const outcome = await runModules({
      modules: {
        "app/main": `import { A, f, E, G, M, U } from "./lib.js"; try { ${statement}; bus("log", "written") } catch (e) { bus("log", e instanceof TypeError) }`,
        "app/lib": `export class A { static n = 0; m() {} } export function f() {} export const G = /a/g; export const M = new Map(); export const U = new Uint8Array(1);
          export class E extends Error { constructor(m) { super(m); this.name = "E" } }`,
      },
      preload: ["app/lib"],
    });
    t.deepEqual(outcome.log, [[true]], name);
  }
});

test("values of the root survive collections in the device's machine", async (t) => {
  const outcome = await runModules({
    modules: {
      "app/main": `import { big, o, p, P, r } from "./lib.js"; ${LOG}
        for (let i = 0; i < 2000; i++) { const q = [o.s, o.n + 1n, ...o.a, p.x, P.s, big + i, r.exec("a12b")[1]]; if (q.length > 9) log(q) }
        o.extra = 1; o.a.push(3); log(o.s.length, String(o.n), o.a[1].z.length, p.x.length, o.extra)`,
      "app/lib": `export const big = "x".repeat(100) + 1; export const r = /a(\\d+)b/;
        export const o = { s: "abc" + big, n: 10n ** 20n, a: ["q" + big, { z: "z" + big }] };
        export class P { #x = "p" + big; get x() { return this.#x } static s = "s" + big } export const p = new P();`,
    },
    preload: ["app/lib"],
  });
  t.deepEqual(outcome.log, [[104, "100000000000000000000", 102, 102, 1]]);
});

test("a preloaded module must have no effects: bus, clock, randomness, exceptions, waiting", async (t) => {
  const tries = {
    [`bus("log", 1)`]: /preload of app\/lib: .* must not use the bus/,
    [`export const now = Date.now()`]: /preload of app\/lib/,
    [`export const r = Math.random()`]: /preload of app\/lib/,
    [`null.x`]: /preload of app\/lib: TypeError: .* at app\/lib:1/,
    [`await new Promise(() => {})`]: /preload of app\/lib: it waits/,
  };
  for (const [lib, message] of Object.entries(tries)) {
    const outcome = await runModules({
      modules: { "app/main": `import "./lib.js"`, "app/lib": lib },
      preload: ["app/lib"],
    });
    t.is(outcome.exit.abort?.status, "exception");
    t.regex(outcome.exit.abort?.message ?? "", message, lib);
  }
});

test("code cannot be made of strings by any route", async (t) => {
  const routes = [
    `eval("1")`,
    `(0, globalThis.eval)("1")`,
    `new Function("1")`,
    `(function () {}).constructor("return 1")()`,
    `(() => {}).constructor.call(null, "1")`,
    `(class {}).constructor("1")`,
    `(async () => {}).constructor("1")`,
    `(function* () {}).constructor("1")`,
    `(async function* () {}).constructor("1")`,
    `Reflect.construct((() => {}).constructor, ["1"])`,
    `Object.getPrototypeOf(bus).constructor("1")`,
    `new (class extends (() => {}).constructor {})("1")`,
    `new Compartment({})`,
    `new ModuleSource("1")`,
    `lockdown()`,
    `Atomics.load`,
    `new SharedArrayBuffer(1)`,
  ];
  const body = routes.map((route) => `() => { ${route} }`).join(",\n");
  const outcome = await runSource(
    `[${body}].forEach((f, i) => { try { f(); bus("log", i) } catch (e) { bus("count", String(e)) } })`,
  );
  t.deepEqual(outcome.log, []);
  t.is(outcome.exit.abort, undefined);
  const globals = await runSource(
    `bus("log", Reflect.ownKeys(Object.getPrototypeOf(globalThis)).map(String).sort().join())`,
  );
  t.deepEqual(
    String(globals.log[0]![0])
      .split(",")
      .filter((name) => /^[a-z]/.test(name)),
    `bus decodeURI decodeURIComponent ed25519Verify encodeURI encodeURIComponent escape global globalThis isFinite isNaN
      parseFloat parseInt resource undefined unescape x25519`.split(/\s+/),
  );
});

// ---- the bus -------------------------------------------------------------------------------------------------------

test("values keep their identity over the bus, both ways", async (t) => {
  const values = [
    undefined,
    null,
    true,
    false,
    0,
    -1,
    2 ** 31,
    -(2 ** 31),
    1.5,
    -0,
    NaN,
    Infinity,
    "",
    "a\0b€😀",
    [],
    [1, ["x", [null]]],
  ];
  const outcome = await runSource(
    `globalThis.onBusEvent = (name, ...args) => bus("log", ...args, ...bus("echo", args))`,
    {
      events: [["go", ...values]],
      onCall: (op, args) => (op === "echo" ? (args[0] as []) : undefined),
    },
  );
  t.deepEqual(outcome.log, [[...values, ...values]]);
});

test("bytes arrive as ArrayBuffer and leave from any view", async (t) => {
  const outcome = await runSource(
    `globalThis.onBusEvent = (name, b) => bus("log", b instanceof ArrayBuffer, b, new Uint8Array(b, 1, 2), new DataView(b, 2), new Uint16Array(b, 2, 1))`,
    { events: [["go", Uint8Array.of(1, 2, 3, 4)]] },
  );
  const [isBuffer, ...views] = outcome.log[0]!;
  t.true(isBuffer);
  t.deepEqual(views, [
    Uint8Array.of(1, 2, 3, 4),
    Uint8Array.of(2, 3),
    Uint8Array.of(3, 4),
    Uint8Array.of(3, 4),
  ]);
});

test("an error of a handler is thrown in the machine with its code", async (t) => {
  const outcome = await runSource(
    LOG + `try { bus("fail", 1) } catch (e) { log(e instanceof Error, e.code, e.message) }`,
    {
      onCall(op) {
        if (op === "fail") throw new BusError("flash-not-erased", "at 0x1000");
        return undefined;
      },
    },
  );
  t.deepEqual(outcome.log, [[true, "flash-not-erased", "at 0x1000"]]);
});

test("a handler that fails without a code ends the machine", async (t) => {
  const outcome = await runSource(`bus("fail")`, {
    onCall() {
      throw new TypeError("bug");
    },
  });
  t.is(outcome.exit.abort?.status, "bus-failed");
  t.regex(outcome.exit.abort?.message ?? "", /TypeError: bug/);
});

test("a frame of over 64 KB is refused on the side that makes it", async (t) => {
  const creation = { staticSize: 200_000 };
  const big = await runSource(
    LOG +
      `for (const n of [65000, 66000]) try { log(bus("size", new Uint8Array(n))) } catch (e) { log(String(e)) }`,
    { creation, onCall: (op, [bytes]) => (op === "size" ? (bytes as Uint8Array).length : undefined) },
  );
  t.deepEqual(big.log, [[65000], ["RangeError: bus: over 65536 bytes"]]);
  const reply = await runSource(LOG + `try { bus("big") } catch (e) { log(e.code) }`, {
    creation,
    onCall: (op) => (op === "big" ? new Uint8Array(70_000) : undefined),
  });
  t.deepEqual(reply.log, [["frame-too-long"]]);
  const text = await runSource(
    LOG + `try { bus("x", ..."abc".repeat(30), "y".repeat(65500)) } catch (e) { log(String(e)) }`,
    { creation },
  );
  t.deepEqual(text.log, [["RangeError: bus: over 65536 bytes"]]);
});

test("what cannot travel over the bus is refused in the machine", async (t) => {
  const outcome = await runSource(
    LOG +
      `for (const v of [{}, () => 1, Symbol("s"), 1n, [[[[[1]]]]]]) try { bus("x", v); log("sent") } catch (e) { log(e.name) }
      try { bus() } catch (e) { log(e.name) } try { bus(1) } catch (e) { log(e.name) }`,
  );
  t.deepEqual(outcome.log, Array(7).fill(["TypeError"]));
});

test("Date and Math.random ask the board", async (t) => {
  const ops: string[] = [];
  const outcome = await runSource(LOG + `log(new Date().getTime(), Math.random(), Math.random())`, {
    onCall(op, args) {
      ops.push([op, ...args].join(" "));
      if (op === "clock.now") return 5000.75;
      if (op === "random.bytes") return Uint8Array.of(0, 0, 0, 128);
      return undefined;
    },
  });
  t.deepEqual(ops.slice(0, 3), ["clock.now", "random.bytes 4", "random.bytes 4"]);
  t.is(outcome.log[0]![0], 5000);
  t.true(Math.abs((outcome.log[0]![1] as number) - 0.5) < 1e-6);
});

test("an event is refused while the machine is running", async (t) => {
  let message = "";
  await runSource(`bus("now")`, {
    onCall(op, _args, machine) {
      if (op === "now") message = t.throws(() => machine.event("x"))!.message;
      return undefined;
    },
  });
  t.regex(message, /not idle/);
});

test("an engine that cannot be started is an exit too", async (t) => {
  const engine = { ...(await testEngine()), binary: "/nowhere/engine" };
  const { archive } = await link(await testEngine(), {
    modules: [{ name: "a", source: "" }],
    preload: [],
    resources: [],
  });
  const outcome = await runArchive(archive, { main: "a", engine });
  t.is(outcome.exit.abort?.status, "crash");
  t.regex(outcome.exit.abort?.message ?? "", /ENOENT/);
});

test("a machine that is killed from a call answers no more, and can be killed again", async (t) => {
  const outcome = await runSource(LOG + `log(1); bus("restart"); log(2)`, {
    onCall(op, _args, machine) {
      if (op !== "restart") return undefined;
      machine.kill();
      machine.kill();
      return undefined;
    },
  });
  t.deepEqual(outcome.log, [[1]]);
  t.deepEqual(outcome.exit, { code: null });
});

test("the machine ends with the process that runs it, idle or busy", async (t) => {
  await testEngine();
  for (const source of ["", "for (;;);"]) {
    const script = `
      import { runSource } from ${JSON.stringify(new URL("run-modules.ts", import.meta.url).href)};
      const onCall = (op, args, machine) => { process.stdout.write(machine.pid + "\\n") };
      runSource(${JSON.stringify(`bus("log"); ${source}`)}, { onCall, hold: true });`;
    const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) =>
      child.stdout.once("data", (bytes) => resolve(Number(String(bytes)))),
    );
    t.notThrows(() => process.kill(pid, 0));
    child.kill("SIGKILL");
    let alive = true;
    for (let i = 0; i < 100 && alive; i++) {
      await sleep(20);
      alive = isAlive(pid);
    }
    t.false(alive, source || "idle");
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
