// curve25519 under valgrind: no bad access, no leak, and nothing that X25519 does depends on its secret.

import test from "ava";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { ask, buildDriver } from "./driver.js";

const missing =
  spawnSync("valgrind", ["--version"]).status !== 0 || !existsSync("/usr/include/valgrind/memcheck.h");
if (missing)
  console.error(
    "!!! valgrind is not installed: curve25519's memory and timing are NOT checked (apt install valgrind) !!!",
  );
const check = missing && process.env["BROOME_NO_SKIP"] !== "1" ? test.skip : test;

const VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full"];
const SCALAR = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"; // RFC 7748 section 5.2
const POINT = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";
const SHARED = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552";

interface Row {
  key: string;
  signature: string;
  message: string;
  valid: boolean;
}
const rows = (JSON.parse(readFileSync("test/vectors/curve25519.json", "utf8")) as { ed25519: Row[] }).ed25519;

// The engine's optimisation, the SDK's, and one that vectorises.
for (const level of ["-O2", "-Os", "-O3"])
  check(`${level}: nothing to complain about, the scalar being memory without a value`, async (t) => {
    if (missing) return t.fail("valgrind is not installed");
    t.timeout(300_000);
    const driver = await buildDriver(level, "-g", "-DWITH_VALGRIND");
    t.teardown(() => driver.remove());
    const signed = rows.filter((_, i) => i % 6 === 0);
    const questions = [
      `x ${SCALAR} ${POINT}`,
      `x ${SCALAR} ${"0".repeat(64)}`,
      `h ${"61".repeat(240)}`,
      ...signed.map(({ key, signature, message }) => `v ${key} ${signature} ${message}`),
    ];
    const { lines, code, complaints } = await ask(driver, questions, VALGRIND);
    t.is(complaints, "");
    t.is(code, 0);
    t.is(lines[0], SHARED);
    t.deepEqual(
      lines.slice(3),
      signed.map(({ valid }) => (valid ? "1" : "0")),
    );
  });

check("valgrind does complain where time depends on what was called a secret", async (t) => {
  if (missing) return t.fail("valgrind is not installed");
  const driver = await buildDriver("-O2", "-g", "-DWITH_VALGRIND");
  t.teardown(() => driver.remove());
  const { key, signature, message } = rows[0]!;
  const { code, complaints } = await ask(driver, [`u ${key} ${signature} ${message}`], VALGRIND);
  t.is(code, 99);
  t.regex(complaints, /depends on uninitialised value/);
});
