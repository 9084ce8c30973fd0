import test from "ava";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { verbs } from "../../tools/verbs.js";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function broome(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "tools/bin/broome.mjs"), ...argv],
    {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", BROOME_PORT: "" },
    },
  );
  const last = stdout.trim().split("\n").at(-1) ?? "";
  return {
    status,
    stdout,
    stderr,
    json: last.startsWith("{") ? (JSON.parse(last) as Record<string, unknown>) : undefined,
  };
}

test("--help names every verb and exits 0", (t) => {
  const { status, stdout } = broome("--help");
  t.is(status, 0);
  for (const { name } of verbs) t.regex(stdout, new RegExp(`^  ${name} `, "m"));
});

test("each verb's --help exits 0 and says what the verb does", async (t) => {
  for (const { name, load } of verbs) {
    const { verb } = await load();
    t.is(verb.name, name);
    t.not(verb.summary, "");
  }
  t.is(broome("patch", "--help").status, 0);
});

test("a command line without sense exits 2 and says so in JSON as well", (t) => {
  for (const argv of [
    ["frobnicate"],
    ["build", "--frobnicate"],
    ["--json"],
    ["-p"],
    ["chip-id", "-b", "fast"],
  ]) {
    const { status, json, stderr } = broome(...argv, "--json");
    t.is(status, 2, argv.join(" "));
    t.like(json, { ok: false, code: "usage" });
    t.notRegex(stderr, /at .*\.(js|ts|mjs):\d+/);
  }
});

test("where nobody reads, as behind head, there is no stack trace", (t) => {
  for (const words of ["--help", "doctor", "patch --help"]) {
    const line = `"${process.execPath}" "${join(root, "tools/bin/broome.mjs")}" ${words} | true`;
    const { stderr } = spawnSync("/bin/sh", ["-c", line], { encoding: "utf8" });
    t.notRegex(stderr, /EPIPE|at .*\.(js|ts|mjs):\d+/, words);
  }
});

test("a secret on the command line is refused before anything runs", (t) => {
  for (const option of [
    "--password=hunter22",
    "--wifi-password",
    "--join-key",
    "--token=x",
    "--passphrase",
  ]) {
    const { status, json, stdout, stderr } = broome("patch", "x.bin", option, "hunter22", "--json");
    t.is(status, 1);
    t.like(json, { ok: false, code: "secret-on-command-line" });
    t.notRegex(stdout + stderr, /hunter22/);
  }
});

test("an option that asks for a secret is none; with the secret behind it, it is refused", (t) => {
  const argv = ["smartconfig", "--ssid", "home", "--json", "--v1", "--join-key"];
  t.like(broome(...argv).json, { ok: false, code: "usage" }); // v1 carries none, and nobody was asked
  const { json, stdout, stderr } = broome(...argv, "hunter22");
  t.like(json, { ok: false, code: "secret-on-command-line" });
  t.notRegex(stdout + stderr, /hunter22/);
});

test("an underscore in a verb's name is as good as a dash", (t) => {
  t.deepEqual(
    broome("image_info", "/nowhere.bin", "--json").json?.code,
    broome("image-info", "/nowhere.bin", "--json").json?.code,
  );
});
