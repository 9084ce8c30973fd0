// `broome doctor` as a command, on the computer that runs the tests: exit codes and both forms of its result.

import test from "ava";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../support/run-verb.js";

interface Check {
  name: string;
  ok: boolean;
  needed: boolean;
  help: string;
}

function doctor(env: Record<string, string>, ...argv: string[]) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, "tools/bin/broome.mjs"), "doctor", ...argv],
    { encoding: "utf8", env: { ...process.env, NO_COLOR: "1", BROOME_PORT: "", MODDABLE: "", ...env } },
  );
  const last = stdout.trim().split("\n").at(-1)!;
  const json = last.startsWith("{") ? (JSON.parse(last) as Record<string, unknown>) : undefined;
  return { status, stdout, json, checks: (json?.checks ?? []) as Check[] };
}

test("what the virtual board needs is here: exit 0; a line of JSON holds every check", (t) => {
  const { status, json, checks } = doctor({}, "--json");
  t.is(status, 0);
  t.true(json?.ok);
  t.like(
    checks.find(({ name }) => name === "node"),
    { ok: true, needed: true, help: "" },
  );
  t.true(checks.every(({ ok, help }) => ok === (help === "")));
});

test("a chip without its SDK: exit 1, and the JSON still holds every check", (t) => {
  const { status, json, checks } = doctor({}, "--chip", "ESP32-C3", "--json");
  t.is(status, 1);
  t.like(json, { ok: false, code: "not-ready" });
  t.regex(json?.message as string, /\bsdk\b/);
  t.like(
    checks.find(({ name }) => name === "sdk"),
    { ok: false, needed: true },
  );
});

test("the table has a line a check, and what to do below those that are not in order", (t) => {
  const { stdout, status } = doctor({});
  t.is(status, 0);
  t.regex(stdout, /^✓ node +\d+\.\d+\.\d+$/m);
  t.regex(stdout, /^· sdk +there is no Moddable SDK in [^\n]+\n +Run: npx xs-dev setup/m);
});

test("no compiler is a failure even for the virtual board; a chip that nobody knows is refused", (t) => {
  const { status, json } = doctor({ CC: "no-such-compiler" }, "--json");
  t.is(status, 1);
  t.regex(json?.message as string, /compiler/);
  t.like(doctor({}, "--chip", "esp31", "--json").json, { ok: false, code: "chip-unsupported" });
});
