// Arena and stack as they are measured: the same for every run, and exactly what the run needs.
import test from "ava";
import { runSource, testEngine } from "./run-modules.js";

const PROGRAMS: Record<string, string> = {
  "small objects": `const a = []; globalThis.onBusEvent = (name, n) => { for (let i = 0; i < n; i++) a.push({ i, next: a[i - 1] }) }`,
  "short-lived objects": `globalThis.onBusEvent = (name, n) => { let o; for (let i = 0; i < n * 50; i++) o = { i, o: { i } } }`,
  strings: `let s = ""; globalThis.onBusEvent = (name, n) => { for (let i = 0; i < n * 8; i++) s += "0123456789" }`,
  "strings first, then objects": `const a = []; globalThis.onBusEvent = (name, n) => {
    let s = "x".repeat(n * 40); s = s + s; s = ""; for (let i = 0; i < n * 2; i++) a.push({ i, j: { i } }) }`,
  buffers: `let b = []; globalThis.onBusEvent = (name, n) => { for (let i = 0; i < n; i++) { b.push(new Uint8Array(60)); if (b.length > 40) b = b.slice(20) } }`,
  promises: `globalThis.onBusEvent = async (name, n) => { const all = []; for (let i = 0; i < n; i++) all.push((async () => { await null; return "x".repeat(i) })()); bus("log", (await Promise.all(all)).length) }`,
  json: `globalThis.onBusEvent = (name, n) => { const text = JSON.stringify(Array.from({ length: n }, (_, i) => ({ id: i, name: "n" + i }))); bus("log", JSON.parse(text).length) }`,
  names: `const o = {}; globalThis.onBusEvent = (name, n) => { for (let i = 0; i < n; i++) o["key" + i] = i }`,
};

const SIZES: Record<string, number> = {
  "small objects": 90,
  "short-lived objects": 40,
  names: 110,
  promises: 12,
  json: 40,
  buffers: 80,
};
/** When an array grows, XS asks for spare room and takes less if there is none: then the peak is that much too high. */
const GROWING_ARRAYS = ["buffers", "strings first, then objects", "small objects"];

for (const [name, source] of Object.entries(PROGRAMS)) {
  const events: [string, number][] = [["go", SIZES[name] ?? 70]];

  test(`${name}: arena and meter are the same in every run`, async (t) => {
    const [first, second] = [await runSource(source, { events }), await runSource(source, { events })];
    t.deepEqual(first.exit, { code: null });
    t.deepEqual(first.stats, second.stats);
    t.true(first.stats[1]!.arenaPeak >= first.stats[0]!.arenaPeak);
    t.true(first.stats[1]!.meter > first.stats[0]!.meter);
  });

  test(`${name}: an arena of the peak is enough, a smaller one ends in memory full`, async (t) => {
    const { bits } = await testEngine();
    const scale = bits === 64 ? 2 : 1;
    const peak = (await runSource(source, { events })).stats[1]!.arenaPeak;
    for (const [size, enough] of [
      [Math.ceil(peak * 1.05), true],
      [peak, true],
      ...(GROWING_ARRAYS.includes(name) ? [] : [[peak - 16 * scale, false] as const]),
      [Math.floor(peak * 0.9), false],
    ] as const) {
      const outcome = await runSource(source, {
        events,
        creation: { staticSize: Math.ceil(size / scale / 16) * 16 },
      });
      t.is(outcome.exit.abort?.status, enough ? undefined : "memory full", `${size} bytes, peak ${peak}`);
    }
  });
}

test("the peak can be measured anew", async (t) => {
  const { stats } = await runSource(
    `globalThis.onBusEvent = (name, n) => { if (n) { let s = "x".repeat(n); s += s; } else bus("reset") }`,
    {
      events: [
        ["big", 5000],
        ["small", 0],
        ["small", 10],
      ],
      onCall(op, _args, machine) {
        if (op === "reset") machine.resetPeak();
        return undefined;
      },
    },
  );
  t.true(stats[1]!.arenaPeak > stats[0]!.arenaPeak + 10_000);
  t.is(stats[2]!.arenaPeak, stats[1]!.arenaPeak);
  t.true(stats[3]!.arenaPeak <= stats[1]!.arenaPeak);
  t.is(stats[3]!.arenaPeak, stats[3]!.arenaUsed);
});

/** Programs that go deep in different ways: calls, natives that call back, async functions, numbers and patterns as text. */
const DEEP: Record<string, string> = {
  calls: `function f(n) { return n ? 1 + f(n - 1) : 0 } globalThis.onBusEvent = (name, n) => bus("log", f(n))`,
  callbacks: `globalThis.onBusEvent = (name, n) => { const f = (i) => i ? [i].map(() => f(i - 1)) : 0; f(n / 2) }`,
  async: `const f = async (n) => { if (n) await f(n - 1) }; globalThis.onBusEvent = async (name, n) => { await f(n / 2); await f(1) }`,
  literals: `globalThis.onBusEvent = (name, n) => bus("log", [n, [n, [n, n]]], n, n, \`\${n} \${n + 1}\`, Math.max(n, n, n))`,
  text: `globalThis.onBusEvent = (name, n) => { bus("log", String(n / 3e30), /^(a+)+b$/.test("a".repeat(9)), JSON.stringify([n / 7, { n }]), JSON.parse("[[[1]]]")) }`,
};

for (const [name, source] of Object.entries(DEEP)) {
  test(`${name}: a stack of the peak is enough, one slot less overflows`, async (t) => {
    const events: [string, number][] = [["go", 8]];
    const first = await runSource(source, { events });
    const peaks = first.stats.map(({ stackPeak }) => stackPeak);
    const stackPeak = Math.max(...peaks);
    t.is(first.stats[1]!.stackLimit, 256);
    t.true(stackPeak > 20 && stackPeak < 256, String(peaks));
    const exact = await runSource(source, { events, creation: { stack: stackPeak } });
    t.is(exact.exit.abort, undefined);
    t.deepEqual(exact.log, first.log);
    t.deepEqual(
      exact.stats.map((stats) => stats.stackPeak),
      peaks,
    );
    const short = await runSource(source, { events, creation: { stack: stackPeak - 1 } });
    t.is(short.exit.abort?.status, "stack overflow");
  });
}

test("a stack overflow names all who called, up to 32", async (t) => {
  const functions = Array.from({ length: 40 }, (_, i) => `function f${i}() {\n return 1 + f${i + 1}() }`);
  const source = [...functions, "function f40() { return 1 + f40() }", "f0()"].join("\n");
  for (const [stack, calls] of [
    [150, [5, 31]],
    [400, [32, 32]],
  ] as const) {
    const { exit } = await runSource(source, { creation: { stack } });
    const trace = exit.abort!.message.split(" < ");
    t.true(trace.length >= calls[0] && trace.length <= calls[1], exit.abort!.message);
    t.regex(trace.at(-1)!, /app\/main:\d+ \(\d+\)$/);
  }
});

test("a machine whose creation does not fit into its arena says so", async (t) => {
  const { exit } = await runSource("", { creation: { staticSize: 8192 } });
  t.is(exit.abort?.status, "memory full");
});
