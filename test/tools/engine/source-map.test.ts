// Lines of transformed modules: what the author wrote is what messages name.
import { transformSync } from "esbuild";
import test from "ava";
import { BroomeError } from "../../../tools/error.js";
import { link } from "../../../tools/engine/engine.js";
import { lineMap } from "../../../tools/engine/source-map.js";
import { runArchive, testEngine } from "./run-modules.js";

const TYPESCRIPT = `// A comment that the transform takes away.

interface Shape {
  width: number;
}

type Names = "a" | "b";

export function area(shape: Shape): number {
  return inner(shape as Shape);
}

function inner(shape: Shape): number {
  const names: Names[] = ["a"];
  return names.length * (shape.width as unknown as { deep: { er: number } }).deep.er;
}
area({ width: 1 });
`;

const transform = (source: string, sourcefile: string): { code: string; map: string } =>
  transformSync(source, { loader: "ts", target: "es2022", sourcemap: "external", sourcefile });

test("each generated line leads to its original line", (t) => {
  const { code, map } = transform(TYPESCRIPT, "x.ts");
  const lines = code.split("\n");
  const originals = TYPESCRIPT.split("\n");
  const found = lineMap(map);
  for (const text of [
    "export function area",
    "function inner",
    "return names.length",
    "area({ width: 1 })",
  ]) {
    const generated = lines.findIndex((line) => line.trim().startsWith(text));
    t.true(originals[found[generated]! - 1]!.trim().startsWith(text.slice(0, 20)), text);
  }
});

test("an exception names the line of the TypeScript source", async (t) => {
  const { code, map } = transform(TYPESCRIPT, "firmware/x.ts");
  const modules = [{ name: "firmware/x", path: "firmware/x.ts", source: code, map }];
  const { archive } = await link(await testEngine(), { modules, preload: [], resources: [] });
  const outcome = await runArchive(archive, { main: "firmware/x" });
  t.regex(outcome.exit.abort!.message, /^TypeError: .* at firmware\/x:15$/);
});

test("a missing module is named with the line of the TypeScript source", async (t) => {
  const { code, map } = transform(`type A = 1;\n\nimport { b } from "./b.js";\nb();\n`, "firmware/x.ts");
  const modules = [{ name: "firmware/x", path: "firmware/x.ts", source: code, map }];
  const error = await t.throwsAsync(link(await testEngine(), { modules, preload: [], resources: [] }), {
    instanceOf: BroomeError,
  });
  t.is(error.message, `firmware/x.ts:3: no module "./b.js"`);
});

test("a source map that is none is refused", (t) => {
  t.throws(() => lineMap("{}"));
  t.throws(() => lineMap(`{"mappings":"A!A"}`));
});
