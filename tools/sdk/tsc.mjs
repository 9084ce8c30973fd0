// The TypeScript compiler as mcconfig calls it, once a file: takes the types off, and that is all. The types were checked before,
// all files at once with mcconfig's own settings and the SDK's typings (type-check.ts): a compiler run a file takes minutes.

import { transformSync } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const settings = JSON.parse(readFileSync(process.argv[process.argv.indexOf("-p") + 1], "utf8"));
for (const file of settings.files) {
  const { code } = transformSync(readFileSync(file, "utf8"), {
    loader: "ts",
    target: "es2022",
    sourcefile: file,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
  });
  const out = join(settings.compilerOptions.outDir, file.replace(/^[A-Za-z]:/, "").replace(/\.ts$/, ".js"));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, code);
}
