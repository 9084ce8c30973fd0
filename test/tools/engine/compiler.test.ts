// How the engine comes about: fetched with a pinned hash, built once, by one process at a time, without warnings.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "ava";
import { BroomeError } from "../../../tools/error.js";
import { link, prepareEngine } from "../../../tools/engine/engine.js";
import { fetchXs } from "../../../tools/engine/fetch.js";
import { testEngine } from "./run-modules.js";

const CACHE = resolve(".broome");
const temporary = (): string => mkdtempSync(join(tmpdir(), "broome-compiler-"));

test.before(async () => {
  await testEngine();
});

test("the second time nothing is built", async (t) => {
  const { binary } = await testEngine();
  const { ino, mtimeMs } = statSync(binary);
  const again = await prepareEngine({ cacheDir: CACHE, onProgress: () => t.fail("it built something") });
  t.is(resolve(again.binary), resolve(binary));
  t.like(statSync(binary), { ino, mtimeMs });
});

test("our C compiles without a warning", async (t) => {
  const xs = await fetchXs(CACHE);
  const folders = ["includes", "platforms", "sources"].flatMap((name) => ["-isystem", join(xs, name)]);
  const flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Itools/engine/c"];
  const defines = ["_GNU_SOURCE", "INCLUDE_XSPLATFORM", 'XSPLATFORM="platform.h"', "mxRun=1", "mxParse=1"];
  const files = readdirSync("tools/engine/c").filter((name) => name.endsWith(".c"));
  for (const extra of [[], ["-O2", "-Wclobbered"]]) {
    const paths = files.map((name) => join("tools/engine/c", name));
    const more = ["mxMetering=1", "mxSloppy=1", "mxBoundsCheck=1"].map((name) => `-D${name}`);
    const args = [...flags, ...extra, ...defines.map((name) => `-D${name}`), ...more, ...folders, ...paths];
    const { status, stderr } = spawnSync("cc", args, { encoding: "utf8" });
    t.is(stderr, "");
    t.is(status, 0);
  }
});

/** A cache that has the sources and XS's objects, so that a build takes a second. */
function warmCache(): string {
  const dir = temporary();
  mkdirSync(join(dir, "engine"));
  symlinkSync(join(CACHE, "xs-13.3"), join(dir, "xs-13.3"));
  for (const name of readdirSync(join(CACHE, "engine")).filter((name) => name.startsWith("xs-"))) {
    symlinkSync(join(CACHE, "engine", name), join(dir, "engine", name));
  }
  return dir;
}

test("two processes at once build one engine, and leave nothing behind", async (t) => {
  const dir = warmCache();
  const script = `
    import { prepareEngine } from ${JSON.stringify(resolve("tools/engine/engine.ts"))};
    let steps = 0;
    await prepareEngine({ cacheDir: ${JSON.stringify(dir)}, onProgress: (done) => { if (done) steps++ } });
    console.log(steps);`;
  const run = (): Promise<number> =>
    new Promise((done) => {
      const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      child.stdout.on("data", (bytes) => done(Number(String(bytes))));
    });
  const steps = await Promise.all([run(), run()]);
  t.is(steps.filter((count) => count === 0).length, 1, steps.join());
  t.deepEqual(readdirSync(join(dir, "engine")).filter((name) => !name.startsWith("xs-")).length, 1);
  t.false(existsSync(join(dir, "engine.lock")));
  rmSync(dir, { recursive: true });
});

test("the lock of a process that died is taken over", async (t) => {
  const dir = warmCache();
  const dead = spawnSync("true").pid;
  writeFileSync(join(dir, "engine.lock"), String(dead));
  mkdirSync(join(dir, "engine", "build-dead"));
  const engine = await prepareEngine({ cacheDir: dir });
  t.false(existsSync(join(dir, "engine", "build-dead")));
  t.regex(
    execFileSync(engine.binary, ["version"], { encoding: "utf8" }),
    process.env["MODDABLE"] ? /^17\.\d+\.\d (32|64)\n$/ : /^13\.3\.0 (32|64)\n$/,
  );
  t.true(execFileSync(engine.binary, ["version"], { encoding: "utf8" }).startsWith(`${engine.xs} `));
  rmSync(dir, { recursive: true });
});

async function withEnvironment<T>(values: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, values);
  try {
    return await work();
  } finally {
    for (const name of Object.keys(values)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

test.serial("without a compiler the error names it and how to get one", async (t) => {
  const error = await withEnvironment({ CC: "/nowhere/cc" }, () =>
    t.throwsAsync(prepareEngine({ cacheDir: CACHE }), { instanceOf: BroomeError }),
  );
  t.is(error.code, "compiler-missing");
  t.regex(error.message, /\/nowhere\/cc/);
  t.regex(error.help, /install/);
});

test.serial("a compiler that fails is told by file and first lines", async (t) => {
  const dir = warmCache();
  const cc = join(dir, "cc");
  writeFileSync(cc, `#!/bin/sh\n[ "$1" = --version ] && echo fake && exit 0\necho "fake: no" >&2\nexit 1\n`, {
    mode: 0o755,
  });
  const error = await withEnvironment({ CC: cc }, () =>
    t.throwsAsync(prepareEngine({ cacheDir: dir }), { instanceOf: BroomeError }),
  );
  t.is(error.code, "engine-build-failed");
  t.regex(error.message, /failed on \w+\.c: fake: no/);
  t.deepEqual(
    readdirSync(join(dir, "engine")).filter((name) => name.startsWith("build-")),
    [],
  );
  rmSync(dir, { recursive: true });
});

test.serial("MODDABLE must lead to XS", async (t) => {
  const dir = temporary();
  const error = await withEnvironment({ MODDABLE: dir }, () =>
    t.throwsAsync(prepareEngine({ cacheDir: dir }), { instanceOf: BroomeError }),
  );
  t.is(error.code, "engine-build-failed");
  t.true(error.message.includes(dir));
  rmSync(dir, { recursive: true });
});

test.serial(
  "a package with another hash is refused, and a registry that does not answer is named",
  async (t) => {
    const dir = temporary();
    const bin = join(dir, "bin");
    mkdirSync(bin);
    const fake = (script: string): void =>
      writeFileSync(join(bin, "npm"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    fake(`while [ "$1" != --pack-destination ]; do shift; done; echo other > "$2/agoric-xsnap-0.15.0.tgz"`);
    const path = { MODDABLE: "", PATH: `${bin}:${process.env["PATH"]}` };
    const other = await withEnvironment(path, () => t.throwsAsync(fetchXs(dir), { instanceOf: BroomeError }));
    t.is(other.code, "engine-build-failed");
    t.regex(other.message, /SHA-512/);
    fake(`echo "npm error network" >&2; exit 1`);
    const none = await withEnvironment(path, () => t.throwsAsync(fetchXs(dir), { instanceOf: BroomeError }));
    t.regex(none.message, /npm error network/);
    t.regex(none.help, /network/);
    t.deepEqual(readdirSync(dir), ["bin"]);
    rmSync(dir, { recursive: true });
  },
);

// ---- link errors ---------------------------------------------------------------------------------------------------

const COMPILE_ERRORS: Record<string, [source: string, message: string]> = {
  "a missing expression": ["\nlet a = ;", "firmware/app/x.ts:2: missing expression"],
  "a variable declared twice": ["let x = 1;\nlet x = 2;", "firmware/app/x.ts:2: duplicate variable x"],
  "an open string": ["'", "firmware/app/x.ts:1: end of file in string"],
  "a sloppy statement": ["with (a) b", "firmware/app/x.ts:1: with (strict code)"],
  "a host function": [`const f = @ "x";`, "firmware/app/x.ts:1: invalid character @"],
  "a string over 64 KB": [`bus("${"a".repeat(70_000)}")`, "firmware/app/x.ts:1: constant over 64 KB"],
};

for (const [name, [source, message]] of Object.entries(COMPILE_ERRORS)) {
  test(`${name} is a compile error with path and line`, async (t) => {
    const modules = [{ name: "firmware/app/x", path: "firmware/app/x.ts", source }];
    const error = await t.throwsAsync(link(await testEngine(), { modules, preload: [], resources: [] }), {
      instanceOf: BroomeError,
    });
    t.is(error.code, "compile-error");
    t.is(error.message, message);
  });
}

test("errors of several modules come together", async (t) => {
  const modules = ["a", "b"].map((name) => ({ name, source: "let" }));
  const error = await t.throwsAsync(link(await testEngine(), { modules, preload: [], resources: [] }));
  t.deepEqual(
    error.message.split("\n").map((line) => line.slice(0, 7)),
    ["a.js:1:", "b.js:1:"],
  );
});

test("an import of a module that is not there is an error of the build, with the line", async (t) => {
  const source = `import { a } from "./a.js";\nimport b from "device/b";\nexport * from "../c.js";\nexport const f = () => "./d.js";`;
  const modules = [
    { name: "firmware/x", source },
    { name: "firmware/a", source: "export const a = 1" },
  ];
  const error = await t.throwsAsync(link(await testEngine(), { modules, preload: [], resources: [] }), {
    instanceOf: BroomeError,
  });
  t.is(error.code, "module-missing");
  t.deepEqual(error.message.split("\n"), [
    `firmware/x.js:2: no module "device/b"`,
    `firmware/x.js:3: no module "../c.js"`,
  ]);
});

test("a module, a resource or a preload that is there twice or not at all is refused", async (t) => {
  const engine = await testEngine();
  const a = { name: "a", source: "" };
  const r = { name: "r", data: new Uint8Array(1) };
  for (const options of [
    { modules: [a, a], preload: [], resources: [] },
    { modules: [a], preload: [], resources: [r, r] },
    { modules: [a], preload: ["b"], resources: [] },
  ]) {
    const error = await t.throwsAsync(link(engine, options), { instanceOf: BroomeError });
    t.is(error.code, "compile-error");
  }
});
