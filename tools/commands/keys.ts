// `broome keys init|list`: the keys that sign updates.

import { addPassphraseOption, passphraseSource } from "../passphrase.js";
import { createKey, listKeys } from "../release/keys.js";
import { BroomeError } from "../error.js";
import { keysDirectory } from "../keys-directory.js";
import type { Context, Options, Verb } from "../verb.js";

export const verb: Verb = {
  name: "keys",
  summary: "make and list the keys that sign updates",
  configure(command) {
    command
      .argument("<init|list>")
      .option("--keys <folder>", "where they lie (default: $BROOME_KEYS or ~/.config/broome/keys)")
      .option("--dir <folder>", "the same as --keys")
      .option("--demo", "without a passphrase: only for servers on this machine")
      .option("--another", "one more, though there is one");
    addPassphraseOption(command);
  },
  async run(context, [action], options) {
    const directory = keysDirectory((options.keys ?? options.dir) as string | undefined);
    if (action === "init") return init(context, directory, options);
    if (action === "list") return list(context, directory);
    throw new BroomeError("usage", `keys ${String(action)}?`, "broome keys init, or broome keys list");
  },
};

async function init(context: Context, directory: string, options: Options): Promise<Record<string, unknown>> {
  const demo = options.demo === true;
  const same = listKeys(directory).find((key) => key.demo === demo && key.privateFile !== undefined);
  if (same && options.another !== true) {
    if (!demo)
      throw new BroomeError(
        "key-exists",
        `${directory} holds the key ${same.kid} already`,
        "Use it; `broome keys init --another` makes one more.",
      );
    context.log(`demo key ${same.kid} is in ${directory} already`);
    return { dir: directory, ...same, made: false };
  }
  const key = await createKey(directory, demo ? undefined : passphraseSource(context, options, "new"));
  context.log(`made ${demo ? "demo " : ""}key ${key.kid} in ${directory}`);
  context.log(
    "Builds from now on trust it. Keep a copy of the folder: without it, devices cannot be updated.",
  );
  return { dir: directory, ...key, made: true };
}

function list(context: Context, directory: string): Record<string, unknown> {
  const keys = listKeys(directory);
  for (const { kid, key, demo, privateFile } of keys)
    context.log(`${kid}  ${key}${demo ? "  demo" : ""}${privateFile ? "" : "  (public half only)"}`);
  if (keys.length === 0) context.log(`no keys in ${directory}: broome keys init`);
  return { dir: directory, keys };
}
