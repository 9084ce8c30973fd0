// Who may import whom: the table of DESIGN.md, read from the source with TypeScript's own parser.

import test from "ava";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

interface Row {
  /** Folder or file that the row is about; the longest match wins. */
  from: string;
  /** Folders and files of the project that it may import, besides itself. */
  may: string[];
  node?: true;
  npm?: true;
  /** Bare names of the device's own modules. */
  bare?: string[];
}

/** The firmware's order, lowest first: each may import those before it. */
const firmwareOrder = [
  "firmware/format",
  "firmware/protocol",
  "firmware/device/types.ts",
  "firmware/store",
  "firmware/link",
  "firmware/connect",
  "firmware/telemetry",
  "firmware/pins",
  "firmware/ota",
  "firmware/agent",
  "firmware/app",
];
const sameRank = ["firmware/connect", "firmware/telemetry", "firmware/pins"];

const table: Row[] = [
  ...firmwareOrder.map((from, rank) => ({
    from,
    may: firmwareOrder
      .slice(0, rank)
      .filter((other) => !(sameRank.includes(from) && sameRank.includes(other))),
  })),
  {
    from: "firmware/device",
    may: firmwareOrder.slice(0, 3),
    bare: ["timer", "Resource", "net", "crypt", "flash", "embedded:io/"], // of the Moddable SDK
  },
  { from: "firmware/main.ts", may: [...firmwareOrder], bare: ["device/", "mc/config"] },
  { from: "host", may: ["firmware/format", "firmware/protocol"], node: true, npm: true },
  {
    from: "host/web",
    may: ["firmware/format", "firmware/protocol", "tools/patch", "tools/esptool", "tools/chips"],
    npm: true,
  },
  { from: "tools/error.ts", may: [] },
  { from: "tools/keys-directory.ts", may: [], node: true },
  { from: "tools/process-lock.ts", may: [], node: true },
  { from: "tools/named-file.ts", may: ["firmware/format", "tools/error.ts"], node: true },
  { from: "tools/answers-file.ts", may: ["tools/named-file.ts", "tools/error.ts"] },
  { from: "tools/chips", may: ["tools/error.ts"] },
  { from: "tools/serial/port.ts", may: [] },
  { from: "tools/elf", may: ["tools/error.ts"] },
  {
    from: "tools/esptool",
    may: ["firmware/format", "tools/chips", "tools/serial/port.ts", "tools/error.ts"],
  },
  {
    from: "tools/patch",
    may: ["firmware/format", "firmware/protocol", "tools/chips", "tools/serial/port.ts", "tools/error.ts"],
  },
  {
    from: "tools/serial",
    may: [
      "tools/serial/port.ts",
      "firmware/format",
      "tools/chips",
      "tools/elf",
      "tools/engine",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  {
    from: "tools/engine",
    may: ["firmware/format", "tools/chips", "tools/process-lock.ts", "tools/error.ts"],
    node: true,
    npm: true,
  },
  {
    from: "tools/build",
    may: [
      "firmware/format",
      "firmware/protocol",
      "tools/chips",
      "tools/engine",
      "tools/keys-directory.ts",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  {
    from: "tools/release",
    may: [
      "firmware/format",
      "firmware/protocol",
      "tools/chips",
      "tools/sdk/target.ts",
      "tools/keys-directory.ts",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  {
    from: "tools/sdk",
    may: ["firmware/format", "tools/chips", "tools/build", "tools/elf", "tools/error.ts"],
    node: true,
    npm: true,
  },
  {
    from: "tools/setup",
    may: [
      "firmware/format",
      "firmware/protocol",
      "tools/serial",
      "tools/prompt.ts",
      "tools/answers-file.ts",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  {
    from: "tools/doctor",
    may: [
      "tools/engine/cc.ts",
      "tools/serial/list.ts",
      "tools/sdk/find.ts", // where a build looks
      "tools/sdk/target.ts",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  {
    from: "tools/smartconfig",
    may: ["firmware/format", "firmware/protocol", "tools/error.ts"],
    node: true,
  },
  {
    from: "tools/simulator",
    may: [
      "firmware/format",
      "tools/chips",
      "tools/engine",
      "tools/serial",
      "tools/esptool/slip.ts",
      "tools/esptool/command.ts",
      "tools/smartconfig", // the chip's half of ESP-Touch, which in a real chip is the vendor's code
      "tools/process-lock.ts",
      "tools/error.ts",
    ],
    node: true,
    npm: true,
  },
  { from: "tools", may: ["tools"], node: true, npm: true },
  {
    from: "tools/commands",
    may: ["tools", "host", "firmware/format", "firmware/protocol"],
    node: true,
    npm: true,
  },
  { from: "test", may: ["firmware", "host", "tools"], node: true, npm: true },
];

function* sources(folder: string): Generator<string> {
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = `${folder}/${name}`;
    if (statSync(join(root, path)).isDirectory()) yield* sources(path);
    else if (path.endsWith(".ts") && !path.endsWith(".d.ts")) yield path;
  }
}

function inside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function rowOf(path: string): Row | undefined {
  return table
    .filter(({ from }) => inside(path, from))
    .sort((a, b) => b.from.length - a.from.length)
    .at(0);
}

/** Every specifier that the file imports, exports from, or loads with import(). */
function specifiers(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier)
      found.push((node.moduleSpecifier as ts.StringLiteral).text);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      found.push(ts.isStringLiteralLike(node.arguments[0]!) ? node.arguments[0].text : "(computed)");
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found;
}

/** What is wrong with one import, or undefined. */
export function judge(path: string, specifier: string): string | undefined {
  const row = rowOf(path);
  if (!row) return `${path} is in no row of the table`;
  if (specifier.startsWith(".")) {
    const target = relative(root, join(root, dirname(path), specifier)).replace(/\.js$/, ".ts");
    if (inside(target, row.from) && rowOf(target) === row) return undefined;
    return row.may.some((allowed) => inside(target, allowed))
      ? undefined
      : `${path} may not import ${target}`;
  }
  if (row.bare?.some((name) => specifier.startsWith(name))) return undefined;
  const builtin = specifier.startsWith("node:") || builtinModules.includes(specifier);
  if (builtin) return row.node ? undefined : `${path} may not use Node's ${specifier}`;
  return row.npm ? undefined : `${path} may not import the package ${specifier}`;
}

test("every import goes downwards", (t) => {
  const wrong: string[] = [];
  let count = 0;
  for (const folder of ["firmware", "host", "tools", "test"]) {
    for (const path of sources(folder)) {
      for (const specifier of specifiers(path, readFileSync(join(root, path), "utf8"))) {
        count += 1;
        const verdict = judge(path, specifier);
        if (verdict) wrong.push(verdict);
      }
    }
  }
  t.deepEqual(wrong, []);
  t.true(count > 50, `only ${count} imports were seen`);
});

test("the table refuses what it should", (t) => {
  const cases: [string, string, boolean][] = [
    ["firmware/format/image.ts", "./crc32.js", true],
    ["firmware/format/image.ts", "../protocol/sealed.js", false],
    ["firmware/format/image.ts", "node:crypto", false],
    ["firmware/protocol/sealed.ts", "../format/utf8.js", true],
    ["firmware/protocol/sealed.ts", "aes-js", false],
    ["firmware/link/http.ts", "../connect/chain.js", false],
    ["firmware/connect/chain.ts", "../telemetry/outbox.js", false],
    ["firmware/ota/updater.ts", "device/flash", false],
    ["firmware/main.ts", "device/flash", true],
    ["host/server.ts", "../tools/error.js", false],
    ["host/web/page.ts", "node:fs", false],
    ["tools/esptool/loader.ts", "serialport", false],
    ["tools/esptool/loader.ts", "../serial/port.js", true],
    ["tools/esptool/loader.ts", "../serial/open.js", false],
    ["tools/simulator/rom.ts", "../esptool/slip.js", true],
    ["tools/simulator/rom.ts", "../esptool/loader.js", false],
    ["tools/chips/esp32c3.ts", "../build/build.js", false],
    ["tools/commands/serve.ts", "../../host/server.js", true],
    ["tools/build/build.ts", "../commands/build.js", false],
  ];
  for (const [path, specifier, allowed] of cases)
    t.is(judge(path, specifier) === undefined, allowed, `${path} -> ${specifier}`);
});
