// The TypeScript compiler that mcconfig will call: it asks for the target es2025, which came with version 6.

import { readFileSync } from "node:fs";
import { BroomeError } from "../error.js";

const OLDEST = 6;

/** `packageFile` is package.json of the compiler. Throws `typescript-too-old`. */
export function checkTypeScript(packageFile: string): void {
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  if (Number(version.split(".")[0]) >= OLDEST) return;
  throw new BroomeError(
    "typescript-too-old",
    `TypeScript is ${version}; mcconfig of Moddable SDK 8.2 compiles for es2025, which ${OLDEST}.0 was the first to know`,
    "Run: npm ci (the project's lock file has a newer one).",
  );
}
