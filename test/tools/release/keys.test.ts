// Update keys on the maker's machine: sealed, found again, used, refused.

import test from "ava";
import { createPublicKey, verify } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readUpdateKeys } from "../../../tools/build/update-keys.js";
import { createKey, listKeys, signWith } from "../../../tools/release/keys.js";

const folder = mkdtempSync(join(tmpdir(), "broome-keys-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** scrypt's N: seconds matter here, not secrets. */
const CHEAP = 1 << 10;

const passphrase = async () => "correct horse";
const never = async () => Promise.reject(new Error("the passphrase was asked for"));

function isGood(key: string, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key }, format: "jwk" });
  return verify(null, message, publicKey, signature);
}

test("a key signs with its passphrase, and with no other", async (t) => {
  const directory = join(folder, "sealed");
  const made = await createKey(directory, passphrase, CHEAP);
  t.deepEqual(listKeys(directory), [made]);
  t.is(statSync(made.privateFile!).mode & 0o777, 0o600);
  t.is(statSync(directory).mode & 0o777, 0o700);
  const message = Buffer.from("message");
  t.true(isGood(made.key, message, (await signWith(made, passphrase))(message)));
  await t.throwsAsync(
    signWith(made, async () => "wrong horse"),
    { code: "passphrase-wrong" },
  );
  t.deepEqual(readdirSync(directory).sort(), [`${made.kid}.key`, `${made.kid}.pub.json`].sort());
});

test("the builder reads the public half", async (t) => {
  const directory = join(folder, "builder");
  const { kid, key } = await createKey(directory, undefined);
  t.deepEqual(readUpdateKeys(directory), [[kid, key]]);
  t.false(readFileSync(join(directory, `${kid}.pub.json`), "utf8").includes("secret"));
});

test("a demo key needs no passphrase and says what it is", async (t) => {
  const directory = join(folder, "demo");
  const made = await createKey(directory, undefined);
  t.true(made.demo);
  t.true(made.kid.startsWith("demo-"));
  t.true(isGood(made.key, Buffer.from("m"), (await signWith(made, never))(Buffer.from("m"))));
});

test("every byte of the sealed half flipped: no signature comes of it", async (t) => {
  const made = await createKey(join(folder, "flip"), passphrase, CHEAP);
  const file = JSON.parse(readFileSync(made.privateFile!, "utf8")) as { secret: Record<string, string> };
  for (const name of ["salt", "nonce", "sealed"] as const) {
    const bytes = Buffer.from(file.secret[name]!, "base64url");
    bytes[0]! ^= 1;
    const secret = { ...file.secret, [name]: bytes.toString("base64url") };
    writeFileSync(made.privateFile!, JSON.stringify({ ...file, secret }));
    await t.throwsAsync(signWith(made, passphrase), { code: "passphrase-wrong" }, name);
  }
  writeFileSync(made.privateFile!, JSON.stringify({ ...file, secret: { ...file.secret, N: 1 << 24 } }));
  await t.throwsAsync(signWith(made, passphrase), { code: "key-invalid" });
});

test("halves that do not belong together, or are missing, are told", async (t) => {
  const directory = join(folder, "mixed");
  const [a, b] = [await createKey(directory, undefined), await createKey(directory, undefined)];
  writeFileSync(a.privateFile!, readFileSync(b.privateFile!));
  await t.throwsAsync(signWith(a, never), { code: "key-invalid" });
  rmSync(b.privateFile!);
  const [, alone] = listKeys(directory).sort((x) => (x.kid === b.kid ? 1 : -1));
  t.is(alone!.privateFile, undefined);
  await t.throwsAsync(signWith(alone!, never), { code: "key-unknown" });
  writeFileSync(join(directory, "wrong.pub.json"), "{}");
  t.throws(() => listKeys(directory), { code: "key-invalid" });
});

test("where no passphrase comes, no key is left behind", async (t) => {
  const directory = join(folder, "none");
  await t.throwsAsync(createKey(directory, never));
  t.deepEqual(existsSync(directory) ? readdirSync(directory) : [], []);
});
