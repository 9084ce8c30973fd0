// The device's native code in the engine: `x25519` and `ed25519Verify` as programs see them.

import test from "ava";
import { runModules } from "./run-modules.js";

const PRELUDE = `
  const hex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const text = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const refused = (name, what) => { try { what(); bus("log", name, "done"); } catch (e) { bus("log", name, e.name); } };
`;
const SECRET = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"; // RFC 7748 section 6.1
const PUBLIC = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const OTHER = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
const KEY = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"; // RFC 8032 section 7.1, test 3
const SIGNATURE =
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

async function logOf(source: string): Promise<unknown[][]> {
  const { log, exit } = await runModules({ modules: { "app/main": PRELUDE + source } });
  if (exit.abort) throw new Error(`${exit.abort.status}: ${exit.abort.message}`);
  return log;
}

test("x25519 gives a buffer of its own: a shared secret, or with one argument the public key", async (t) => {
  const log = await logOf(`
    const secret = hex("${SECRET}");
    const shared = x25519(secret, hex("${OTHER}"));
    bus("log", shared instanceof ArrayBuffer, shared.byteLength, text(new Uint8Array(shared)), text(secret));
    bus("log", text(new Uint8Array(x25519(secret))));
    const both = hex("00${SECRET}${OTHER}");
    bus("log", text(new Uint8Array(x25519(both.subarray(1, 33), new DataView(both.buffer, 33)))));
  `);
  t.deepEqual(log, [[true, 32, SHARED, SECRET], [PUBLIC], [SHARED]]);
});

test("ed25519Verify gives a boolean, false for other lengths", async (t) => {
  const log = await logOf(`
    const [key, message, signature] = [hex("${KEY}"), hex("af82"), hex("${SIGNATURE}")];
    bus("log", ed25519Verify(key, message, signature), ed25519Verify(key, message.subarray(1), signature));
    bus("log", ed25519Verify(key.subarray(1), message, signature), ed25519Verify(key, message, signature.subarray(1)));
    bus("log", ed25519Verify(hex("${KEY}00"), message, signature), ed25519Verify(key, message, hex("${SIGNATURE}00")));
    bus("log", ed25519Verify(new Uint8Array(0), message, signature), ed25519Verify(key, new ArrayBuffer(0), signature));
  `);
  t.deepEqual(log, [
    [true, false],
    [false, false],
    [false, false],
    [false, false],
  ]);
});

test("what is no bytes, missing or of another length is an exception, not a crash", async (t) => {
  const log = await logOf(`
    const secret = hex("${SECRET}");
    refused("nothing", () => x25519());
    refused("text", () => x25519("${SECRET}"));
    refused("short secret", () => x25519(secret.subarray(1)));
    refused("long point", () => x25519(secret, new Uint8Array(33)));
    refused("point undefined", () => x25519(secret, undefined));
    refused("array", () => x25519(secret, Array.from(secret)));
    refused("words", () => x25519(new Uint32Array(8), secret));
    refused("no signature", () => ed25519Verify(secret, secret));
    refused("null", () => ed25519Verify(null, secret, secret));
    refused("construct", () => new x25519(secret));
  `);
  t.deepEqual(log, [
    ["nothing", "TypeError"],
    ["text", "TypeError"],
    ["short secret", "RangeError"],
    ["long point", "RangeError"],
    ["point undefined", "TypeError"],
    ["array", "TypeError"],
    ["words", "TypeError"],
    ["no signature", "TypeError"],
    ["null", "TypeError"],
    ["construct", "TypeError"],
  ]);
});

test("both work on preloaded modules' constants and leave the arena as they found it", async (t) => {
  const { log, stats, exit } = await runModules({
    modules: {
      "app/main": `import { secret } from "./keys.js";
        globalThis.onBusEvent = () => { const all = new Set(); for (let i = 0; i < 500; i++) all.add(new Uint8Array(x25519(secret))[0]); bus("log", all.size) };`,
      "app/keys": `const secret = Uint8Array.of(${Array.from({ length: 32 }, (_, i) => i).join()}); export { secret };`,
    },
    preload: ["app/keys"],
    events: [["go"]],
  });
  t.is(exit.abort, undefined);
  t.deepEqual(log, [[1]]);
  t.true(stats.at(-1)!.arenaPeak <= 32768);
});
