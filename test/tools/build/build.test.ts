// The build: what comes out, that it comes out the same, that it runs, and every way it is refused.

import test, { type ExecutionContext } from "ava";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { isBlank } from "../../../firmware/format/canonical.js";
import { blankDefaults, encodeDefaults, findMarkers } from "../../../firmware/format/defaults-block.js";
import { verifyImageFile } from "../../../firmware/format/image.js";
import { importsOf, resolve } from "../../../tools/build/transform.js";
import { MAX_KID } from "../../../firmware/protocol/update-manifest.js";
import { readUpdateKey, readUpdateKeys } from "../../../tools/build/update-keys.js";
import { slotBytes } from "../../../tools/build/virtual-image.js";
import { chipByImageId, chipByName } from "../../../tools/chips/registry.js";
import { prepareEngine, readArchive, run, type Value } from "../../../tools/engine/engine.js";
import { seededRandom } from "../../support/random.js";
import { sha256 } from "../../firmware/format/test-image.js";
import { newProject, projectRoot, type Project } from "./project.js";

const read = (project: Project, name: string) =>
  new Uint8Array(readFileSync(join(project.root, "build", name)));

/** Checked types are remembered across the projects of this file. */
const cache = mkdtempSync(join(tmpdir(), "broome-cache-"));

function fresh(t: ExecutionContext, cacheDir = cache): Project {
  const project = newProject(cacheDir);
  t.teardown(() => project.remove());
  return project;
}

/** One project that nothing changes. */
const shared = newProject(cache);
test.before(async () => void (await shared.build()));
test.after.always(() => {
  shared.remove();
  rmSync(cache, { recursive: true, force: true });
});

test("the image verifies and says what it is", (t) => {
  const image = read(shared, "app.bin");
  const info = verifyImageFile(image, sha256);
  t.like(info, { chipId: 5, entry: 0x40380000, flashMode: 2, flashSize: 2, hashAppended: true });
  t.deepEqual(
    info.segments.map(({ fileOffset, loadAddress }) => [fileOffset, loadAddress]),
    [
      [0x20, 0x3c000020],
      [info.segments[1]!.fileOffset, 0x40380000],
    ],
  );
  t.like(parseAppDescriptor(image.subarray(0x20)), {
    version: "1.0.0",
    project: "broome-virtual",
    secureVersion: 0,
    idf: "xs-13.3.0",
    date: "Jan  1 1970",
    time: "00:00:00",
  });
  t.is(findMarkers(image).length, 1);
  t.true(isBlank(image));
});

test("the archive begins at 0x120: modules by path, preload, resources", (t) => {
  const archive = readArchive(read(shared, "app.bin").subarray(0x120));
  const names = [
    "device/console",
    "firmware/app/app",
    "firmware/format/shout",
    "firmware/main",
    "mc/config",
    "sdk/scan-record",
    "sdk/wifi-reasons",
  ];
  t.deepEqual(archive.modules.map(({ name }) => name).sort(), names);
  t.deepEqual(
    archive.preload.slice().sort(),
    names.filter((name) => !name.startsWith("firmware/app/") && name !== "firmware/main"),
  );
  const resources = archive.resources.map(({ name }) => name).sort();
  t.deepEqual(resources, ["creation.json", "defaults.bin"]);
  for (const { offset } of archive.resources) t.is(offset % 4, 0);
});

test("files are described with their place in flash, in the result and in build.json", async (t) => {
  const project = fresh(t);
  const { files, defaults, limits } = await project.build();
  t.deepEqual(
    files.map(({ offset, size }) => [offset, size]),
    [
      [0x8000, 0xc00],
      [0xe000, 0x2000],
      [0x10000, read(project, "app.bin").length],
    ],
  );
  for (const { path, sha256 } of files)
    t.is(createHash("sha256").update(readFileSync(path)).digest("hex"), sha256);
  t.deepEqual(read(project, "app.bin").slice(defaults.offset, defaults.offset + 1024), blankDefaults());
  t.is(defaults.capacity, 996);
  t.is(limits.slot, 0x1e0000);
  const described = JSON.parse(readFileSync(join(project.root, "build/build.json"), "utf8")) as {
    files: object[];
  };
  t.like(described, { chip: "esp32c3", version: "1.0.0", config: { layout: "4mb-2slot" } });
  t.deepEqual(
    described.files,
    files.map((file) => ({ ...file, path: file.path.split("/").at(-1) })),
  );
  t.deepEqual(readdirSync(join(project.root, "build")).sort(), [
    "app.bin",
    "build.json",
    "ota_data_initial.bin",
    "partition-table.bin",
  ]);
});

test("the partition table is gen_esp32part.py's and otadata is erased", (t) => {
  const vector = JSON.parse(
    readFileSync(join(projectRoot, "test/vectors/format/esp-idf-partition-table.json"), "utf8"),
  ) as { table: string };
  t.is(Buffer.from(read(shared, "partition-table.bin").subarray(0, 192)).toString("hex"), vector.table);
  t.true(read(shared, "ota_data_initial.bin").every((byte) => byte === 0xff));
});

test("the program runs out of the image file", async (t) => {
  const file = join(shared.root, "build/app.bin");
  const engine = await prepareEngine({ cacheDir: join(projectRoot, ".broome") });
  const { creation } = JSON.parse(readFileSync(join(projectRoot, "manifest.json"), "utf8")) as {
    creation: { static: number };
  };
  const archive = readArchive(read(shared, "app.bin").subarray(0x120));
  const resource = archive.resources.find(({ name }) => name === "creation.json")!;
  const bytes = read(shared, "app.bin").subarray(
    0x120 + resource.offset,
    0x120 + resource.offset + resource.size,
  );
  const { main, ...limits } = JSON.parse(Buffer.from(bytes).toString()) as { main: string };
  t.like(limits, { staticSize: creation.static, stack: 256, nameModulo: 53 });
  const said = await new Promise<Value[]>((resolve, reject) => {
    const calls: Value[] = [];
    const machine = run(engine, {
      flashFile: file,
      offset: 0x120,
      size: archive.size,
      main,
      creation: limits as never,
      onCall: (op, args) => void calls.push(op, ...args),
      onIdle: () => machine.kill(),
      onExit: ({ abort }) =>
        abort ? reject(new Error(`${abort.status}: ${abort.message}`)) : resolve(calls),
    });
  });
  t.deepEqual(said, ["console.write", "HELLO FROM 1.0.0"]);
});

test("equal sources give equal bytes, wherever they lie", async (t) => {
  const other = fresh(t);
  await other.build();
  t.deepEqual(read(other, "app.bin"), read(shared, "app.bin"));
  const app = mkdtempSync(join(tmpdir(), "broome-app-"));
  t.teardown(() => rmSync(app, { recursive: true, force: true }));
  cpSync(join(other.root, "firmware/app"), app, { recursive: true });
  other.write("firmware/app/app.ts", "this is no program");
  await other.build({ appDir: app, outDir: join(other.root, "build2") });
  t.deepEqual(new Uint8Array(readFileSync(join(other.root, "build2/app.bin"))), read(shared, "app.bin"));
});

test("another app, version, counter, product, key change the image and nothing else has to", async (t) => {
  const project = fresh(t);
  const app = join(project.root, "my-app");
  mkdirSync(app);
  writeFileSync(join(app, "app.ts"), 'export const greeting = (v: string): string => "bye from " + v;\n');
  const { updateKeys } = await project.build({
    appDir: app,
    version: "1.0.1-rc.1",
    config: { updateKeys: [["k1", "A".repeat(43)]], sc: 3, product: "lamp", extra: { a: 1 } },
  });
  t.deepEqual(updateKeys, ["k1"]);
  t.like(parseAppDescriptor(read(project, "app.bin").subarray(0x20)), {
    version: "1.0.1-rc.1",
    secureVersion: 3,
  });
  t.like(JSON.parse(readFileSync(join(project.root, "build/build.json"), "utf8")), {
    config: {
      product: "lamp",
      sc: 3,
      updateKeys: [["k1", "A".repeat(43)]],
      extra: { a: 1 },
      chip: "esp32c3",
    },
  });
});

test("types are checked again only after a change, and always after an error", async (t) => {
  const project = fresh(t, join(cache, "own"));
  t.is((await project.build()).typeCheck, "checked");
  t.is((await project.build()).typeCheck, "unchanged");
  project.write("firmware/app/app.ts", 'export const greeting = (v: number): string => "" + v;\n');
  const message = /^firmware\/main\.ts:4:24: TS2345: .*string.*number/;
  for (let i = 0; i < 2; i++)
    await t.throwsAsync(() => project.build(), { code: "typescript-errors", message });
  project.write("firmware/app/app.ts", 'export const greeting = (v: string): string => "" + v;\n');
  t.is((await project.build()).typeCheck, "checked");
});

test("errors in another app name its files", async (t) => {
  const project = fresh(t, join(cache, "another"));
  project.write("lamp/app.ts", "export const greeting = (v: number): string => v;\n");
  await t.throwsAsync(() => project.build({ appDir: join(project.root, "lamp") }), {
    code: "typescript-errors",
    message: /^lamp\/app\.ts:1:\d+: TS2322/m,
  });
  t.deepEqual(
    readdirSync(join(cache, "another/type-check")).filter((name) => name.startsWith("run-")),
    [],
  );
});

const refused: [string, string, RegExp, (project: Project) => void][] = [
  [
    "what Node has and the device has not",
    "typescript-errors",
    /app\.ts:1:\d+: TS2(304|580|584|591): .*(process|Buffer)/,
    (p) =>
      p.write("firmware/app/app.ts", "export const greeting = (v: string): string => process.env[v]!;\n"),
  ],
  [
    "a syntax error",
    "typescript-errors",
    /app\.ts:2:\d+: TS1/,
    (p) => p.write("firmware/app/app.ts", "export const greeting =\n;\n"),
  ],
  [
    "an import of a module that the manifest leaves out",
    "module-missing",
    /firmware\/main\.ts imports firmware\/lost\/found/,
    (p) => {
      p.write("firmware/lost/found.ts", "export const a = 1;\n");
      p.write("firmware/main.ts", 'import { a } from "./lost/found.js";\nexport const b = a;\n');
    },
  ],
  [
    "a device taken by anyone but main",
    "import-not-allowed",
    /firmware\/app\/app\.ts imports device\/console/,
    (p) =>
      p.write(
        "firmware/app/app.ts",
        'import console from "device/console";\nexport const greeting = (v: string): string => (console.write(v), v);\n',
      ),
  ],
  [
    "mc/config taken by anyone but main",
    "import-not-allowed",
    /imports mc\/config/,
    (p) =>
      p.write(
        "firmware/app/app.ts",
        'import c from "mc/config";\nexport const greeting = (v: string): string => v + c.version;\n',
      ),
  ],
  [
    "an image that is too big for its slot",
    "app-too-big",
    /1966080/,
    (p) => p.write("firmware/resources/big.bin", seededRandom(3).bytes(0x1e0000)),
  ],
  [
    "no defaults block",
    "defaults-missing",
    /no defaults block/,
    (p) => p.write("firmware/resources/defaults.bin", new Uint8Array(1024)),
  ],
  [
    "two defaults blocks",
    "defaults-ambiguous",
    /2 defaults blocks/,
    (p) => p.write("firmware/resources/more.bin", blankDefaults()),
  ],
  [
    "somebody's values in the sources",
    "image-personalised",
    /not blank/,
    (p) => p.write("firmware/resources/defaults.bin", encodeDefaults({ "wifi.ssid": "home" })),
  ],
  ["a manifest that is no JSON", "manifest-invalid", /manifest\.json/, (p) => p.write("manifest.json", "{")],
  [
    "a manifest without creation",
    "manifest-invalid",
    /creation/,
    (p) => p.write("manifest.json", '{"modules":{},"platforms":{"virtual":{}}}'),
  ],
];
for (const [what, code, message, change] of refused)
  test(`${what} is refused (${code}), and the last good build stays`, async (t) => {
    const project = fresh(t);
    project.write("build/app.bin", "the last good build");
    change(project);
    await t.throwsAsync(() => project.build(), { code, message });
    t.deepEqual(readdirSync(join(project.root, "build")), ["app.bin"]);
    t.is(readFileSync(join(project.root, "build/app.bin"), "utf8"), "the last good build");
  });

for (const version of [
  "1",
  "1.0",
  "v1.0.0",
  "1.0.0.0",
  "01.0.0",
  "1.0.0-",
  "latest",
  `1.0.0-${"a".repeat(30)}`,
  "",
])
  test(`"${version}" is no version`, async (t) => {
    await t.throwsAsync(() => shared.build({ version, outDir: join(shared.root, "never") }), {
      code: "version-invalid",
    });
    t.false(existsSync(join(shared.root, "never")));
  });

test("an --out that is a file is refused, and stays as it was", async (t) => {
  const file = join(shared.root, "a-file");
  writeFileSync(file, "mine");
  await t.throwsAsync(() => shared.build({ outDir: file }), { code: "file-unwritable" });
  t.is(readFileSync(file, "utf8"), "mine");
});

test("chips that are not there yet say so by name", (t) => {
  t.is(chipByName("ESP32-C3").name, "esp32c3");
  t.is(chipByImageId(5).name, "esp32c3");
  for (const name of ["esp32s2", "esp9000", "z80", ""]) {
    const error = t.throws(() => chipByName(name)) as Error & { code: string; help: string };
    t.is(error.code, "chip-unsupported");
    t.regex(error.message + error.help, /esp32c3/);
  }
  t.is(chipByImageId(0).name, "esp32");
  t.is(chipByImageId(undefined).name, "esp8266");
  t.throws(() => chipByImageId(2), { code: "chip-unsupported" });
});

test("imports are read from code, not from strings or comments", (t) => {
  const code = `import "./a.js";
import b, { c } from "./b.js";
import {
  d
} from "../d.js";
export * from "e/f";
const text = 'from "no.js"';
const late = await import("./g.js");
`;
  t.deepEqual(importsOf(code), ["./a.js", "./b.js", "../d.js", "e/f", "./g.js"]);
  t.is(resolve("firmware/app/app", "../link/http.js"), "firmware/link/http");
  t.is(resolve("firmware/main", "./format/utf8.js"), "firmware/format/utf8");
  t.is(resolve("firmware/main", "device/tcp"), "device/tcp");
});

test("an update takes whole sectors and its list", (t) => {
  t.is(slotBytes(1), 8192);
  t.is(slotBytes(256 * 4096), (256 + 1) * 4096);
  t.is(slotBytes(257 * 4096), (257 + 2) * 4096);
});

test("release keys: ours, a JWK, a folder of them; private or broken ones are refused", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-keys-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const key = "k".repeat(43);
  const file = (name: string, json: unknown) => {
    writeFileSync(join(folder, name), typeof json === "string" ? json : JSON.stringify(json));
    return join(folder, name);
  };
  t.deepEqual(readUpdateKey(file("b.pub.json", { kid: "b", key, demo: true })), ["b", key]);
  t.deepEqual(readUpdateKey(file("a.pub.json", { kty: "OKP", crv: "Ed25519", kid: "a", x: key })), [
    "a",
    key,
  ]);
  const bad = [
    { kid: "a", key: "short" },
    ...["", "a b", "a.b", "k".repeat(33)].map((kid) => ({ kid, key })),
    { kty: "OKP", crv: "Ed25519", kid: "k".repeat(33), x: key },
    { key },
    { kty: "OKP", crv: "X25519", kid: "a", x: key },
    "no JSON",
    [1],
  ];
  for (const json of [...bad, { kty: "OKP", crv: "Ed25519", kid: "a", x: key, d: key }])
    t.throws(() => readUpdateKey(file("bad.json", json)), { code: "release-key-invalid" });
  t.throws(() => readUpdateKey(join(folder, "gone.json")), { code: "release-key-invalid" });
  const longest = "k".repeat(MAX_KID);
  t.deepEqual(readUpdateKey(file("long.json", { kid: longest, key })), [longest, key]);
  t.deepEqual(readUpdateKeys(folder), [
    ["a", key],
    ["b", key],
  ]);
  t.deepEqual(readUpdateKeys(join(folder, "gone")), []);
});
