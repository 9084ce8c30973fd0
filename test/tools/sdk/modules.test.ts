// The modules of a build, read from manifests as mcconfig reads them; and the import that has none.

import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkModules } from "../../../tools/sdk/check-modules.js";
import { modulesOf } from "../../../tools/sdk/manifest-tree.js";
import { writeProject } from "../../../tools/sdk/project.js";

function tree(t: ExecutionContext, files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-manifest-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const files = {
  "sdk/modules/io/tcp.js": "",
  "sdk/modules/io/tcp.c": "",
  "sdk/modules/timer/timer.js": "",
  "sdk/base.json": {
    build: { MODULES: "$(MODDABLE)/modules" },
    modules: { timer: "$(MODULES)/timer/timer" },
    platforms: { "...": { modules: { other: "$(MODULES)/timer/timer" } } },
  },
  "app/manifest.json": {
    include: ["$(MODDABLE)/base.json", "./more.json"],
    modules: { "own/*": ["./src/*"], "~": ["./src/left-out"] },
    platforms: {
      esp32: { modules: { "embedded:io/tcp": "$(MODULES)/io/tcp" } },
      "esp32/*": { modules: { board: "./src/main" } },
    },
  },
  "app/more.json": { include: "./manifest.json" }, // a circle
  "app/src/main.ts":
    'import "timer"; import "./part.js"; import type { X } from "nowhere"; import "mc/config";\n',
  "app/src/part.ts": "export const part = 1;\n",
  "app/src/left-out.ts": "",
  "app/src/types.d.ts": "",
};

const onPlatform = (folder: string, platform: string) => ({
  manifest: join(folder, "app/manifest.json"),
  platform,
  variables: { MODDABLE: join(folder, "sdk") },
});

const names = (folder: string, platform: string) =>
  modulesOf(onPlatform(folder, platform))
    .map(({ name }) => name)
    .sort();

test("includes, variables, stars, what is left out, and the platform that fits best", (t) => {
  const folder = tree(t, files);
  t.deepEqual(names(folder, "esp32"), ["embedded:io/tcp", "other", "own/main", "own/part", "timer"]);
  t.deepEqual(names(folder, "esp32/c3"), ["board", "other", "own/main", "own/part", "timer"]);
  t.deepEqual(names(folder, "lin"), ["other", "own/main", "own/part", "timer"]);
});

test("an import that no module answers is refused by name; types are no imports", async (t) => {
  const folder = tree(t, files);
  const options = onPlatform(folder, "lin");
  t.is(await checkModules(join(folder, "app"), options), 2);
  writeFileSync(join(folder, "app/src/part.ts"), 'import "embedded:io/tcp";\n');
  const error = (await t.throwsAsync(checkModules(join(folder, "app"), options))) as Error & {
    code?: string;
  };
  t.is(error.code, "module-missing");
  t.regex(error.message, /src\/part\.ts imports embedded:io\/tcp, which a build for lin does not have/);
  t.is(await checkModules(join(folder, "app"), { ...options, platform: "esp32" }), 2);
});

test("JavaScript with XS's syntax for host functions is read for its imports", async (t) => {
  const folder = tree(t, {
    ...files,
    // As the SDK's own modules have it: modules/io, modules/files.
    "app/src/port.js": `import Timer from "timer";
class Port @ "xs_port_destructor" {
  constructor(dictionary) @ "xs_port_constructor";  // on the pins
  close() @ "xs_port_close"
  get mode() @ "xs_port_mode";
}
class Serial extends Port @ 'xs_serial_destructor' { write(data) @ 'xs_serial_write'; }
export const bus = { read() @ "xs_bus_read", at: Timer };
export default function resident(a, b) @ "xs_resident";
export { Port, Serial };
`,
  });
  const options = onPlatform(folder, "lin");
  t.is(await checkModules(join(folder, "app"), options), 3);
  writeFileSync(join(folder, "app/src/port.js"), 'import "gone";\nexport function f() @ "xs_f";\n');
  const error = await t.throwsAsync(checkModules(join(folder, "app"), options));
  t.regex(error!.message, /src\/port\.js imports gone/);
});

test("an app in the place of the project's is looked at, and the project's own is not", async (t) => {
  const folder = tree(t, {
    "sdk/modules/timer/timer.js": "",
    "broome/manifest.json": {
      modules: { timer: "$(MODDABLE)/modules/timer/timer", "firmware/app/*": ["./firmware/app/*"] },
    },
    "broome/firmware/app/app.ts": 'import "only-here";\n',
    "mine/app.ts": 'import "timer";\n',
  });
  const root = join(folder, "broome");
  const project = { root, folder: join(folder, "made"), config: {}, appDir: join(folder, "mine") };
  const options = {
    manifest: writeProject(project),
    platform: "lin",
    variables: { MODDABLE: join(folder, "sdk") },
  };
  t.is(await checkModules(root, options), 1);
  writeFileSync(join(folder, "mine/app.ts"), 'import "timer";\nimport "embedded:io/pwm";\n');
  await t.throwsAsync(checkModules(root, options), {
    message:
      /mine\/app\.ts imports embedded:io\/pwm, which a build for lin does not have \(module firmware\/app\/app\)/,
  });
});

test("a folder that a manifest names and that is not there", (t) => {
  const folder = tree(t, { "app/manifest.json": { modules: { "own/*": ["./gone/*"] } } });
  t.throws(() => names(folder, "lin"), { message: /there is no folder .*gone/ });
});
