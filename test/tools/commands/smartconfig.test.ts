// `broome smartconfig` before it sends: what it asks for, and what it refuses.

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verb as smartconfig } from "../../../tools/commands/smartconfig.js";
import { runVerb } from "../../support/run-verb.js";
import { terminal } from "../../support/terminal.js";

const wifi = { "wifi.ssid": "Broome", "wifi.password": "cable-beach-6725" };
const SERVER = "http://127.0.0.1:3000/#uROGQNHjVgemEpRs1i8DAw";
const JOIN_KEY = "Bd1zXq0aYGFiY2RlZmdoaWprbG1ubw";
const KEY = "MyEncryptionKey0";

/** Sends, where it gets so far, for a twentieth of a second to where nobody is. */
function run(t: ExecutionContext, values: object, ...argv: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "broome-smartconfig-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const from = join(folder, "answers.json");
  writeFileSync(from, JSON.stringify(values));
  const quick = ["--address", "127.255.255.255", "--timeout", "0.05"];
  return runVerb(smartconfig, ["--from", from, ...quick, ...argv]);
}

for (const [code, title, values, argv] of [
  ["join-key-unencrypted", "a join key without a key", { "server.url": SERVER, "join.key": JOIN_KEY }, []],
  ["value-missing", "a join key without a server", { "join.key": JOIN_KEY, "smartconfig.key": KEY }, []],
  ["value-missing", "--key, and nobody to ask", {}, ["--key"]],
  ["value-missing", "--join-key, and nobody to ask", { "server.url": SERVER }, ["--join-key"]],
  ["value-invalid", "a key of 15", { "smartconfig.key": KEY.slice(1) }, []],
  ["value-invalid", "a server that is none", { "server.url": "https://x" }, []],
  ["usage", "v1 with --key", {}, ["--v1", "--key"]],
  ["secret-on-command-line", "a key behind --key", {}, ["--key", "hunter22hunter22"]],
  ["secret-on-command-line", "a key in --key", {}, ["--key=hunter22hunter22"]],
] as const)
  test.serial(`${title}: ${code}, and nothing is sent`, async (t) => {
    const { code: actual, text } = await run(t, { ...wifi, ...values }, ...argv);
    t.is(actual, code);
    t.notRegex(text, /Sending|hunter22|MyEncr|yEncryptionKey0|cable-beach/);
    t.false(text.includes(JOIN_KEY.slice(8)));
  });

test.serial("with its key, server and join key go out; the keys are never shown", async (t) => {
  const values = { ...wifi, "server.url": SERVER, "join.key": JOIN_KEY, "smartconfig.key": KEY };
  const { code, text } = await run(t, values);
  t.is(code, "no-answer");
  t.regex(text, /Sending ESP-Touch v2 for "Broome"[^]*Sealed/);
  t.notRegex(text, /MyEncr|Bd1zXq0a|cable-beach/);
});

test.serial("v1 says what of a file it does not carry, and sends the network", async (t) => {
  const { code, text } = await run(t, { ...wifi, "server.url": SERVER, "join.key": JOIN_KEY }, "--v1");
  t.is(code, "no-answer");
  t.regex(text, /not sent: server\.url, join\.key/);
});

test.serial("a join key of the environment goes with a server, and is left alone without one", async (t) => {
  process.env.BROOME_JOIN_KEY = JOIN_KEY;
  t.teardown(() => delete process.env.BROOME_JOIN_KEY);
  t.is((await run(t, wifi)).code, "no-answer");
  t.is((await run(t, { ...wifi, "server.url": SERVER })).code, "join-key-unencrypted");
});

test.serial("who gives nothing is asked for everything, secrets are not shown", async (t) => {
  const { answer, screen, exit } = await terminal(t, tmpdir(), [
    ...["smartconfig", "--address", "127.255.255.255", "--timeout", "0.05"],
  ]);
  await answer("Network", "Broome\r");
  await answer("Password", "cable-beach-6725\r");
  await answer("Server", "https://x\r");
  await answer("must look like", "\x7f".repeat(9) + `${SERVER}\r`);
  await answer("The device's ESP-Touch key", "short\r");
  await answer("16 printable ASCII", "\x7f".repeat(5) + `${KEY}\r`);
  await answer("Join key", `${JOIN_KEY}\r`);
  t.is(await exit, 1, screen());
  t.regex(screen(), /no device answered/);
  t.regex(screen(), /seals what is sent: 16 characters[^]*leave it empty then[^]*The device's ESP-Touch key/);
  t.notRegex(screen(), /cable-beach|MyEncr|Bd1zXq0a/);
});

test.serial("an empty key is said to be why no join key is asked for", async (t) => {
  const { answer, screen, exit } = await terminal(t, tmpdir(), [
    ...["smartconfig", "--address", "127.255.255.255", "--timeout", "0.05"],
  ]);
  await answer("Network", "Broome\r");
  await answer("Password", "cable-beach-6725\r");
  await answer("Server", `${SERVER}\r`);
  await answer("The device's ESP-Touch key", "\r");
  t.is(await exit, 1, screen());
  t.regex(screen(), /No join key is asked for[^]*in the clear[^]*serial dialog[^]*no device answered/);
});
