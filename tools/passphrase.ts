// Where the passphrase of the update keys comes from: a prompt, a file, or the environment; never the command line.

import { readFileSync } from "node:fs";
import { password } from "@inquirer/prompts";
import type { Command } from "commander";
import { BroomeError } from "./error.js";
import { answered, canAsk } from "./prompt.js";
import type { Context, Options } from "./verb.js";
import type { Passphrase } from "./release/keys.js";

const SHORTEST = 8;

export function addPassphraseOption(command: Command): Command {
  return command.option("--from <file>", "file with the passphrase (or BROOME_KEY_PASSPHRASE)");
}

async function ask(context: Context, purpose: "new" | "open"): Promise<string> {
  const prompt = { output: process.stderr };
  const { signal } = context;
  const first = await answered(
    password({ message: "Passphrase of the update keys", mask: true }, { ...prompt, signal }),
  );
  if (purpose === "open") return first;
  const second = await answered(password({ message: "Once more", mask: true }, { ...prompt, signal }));
  if (first === second) return first;
  throw new BroomeError("passphrase-wrong", "the two are not the same", "Try again.");
}

async function read(context: Context, options: Options, purpose: "new" | "open"): Promise<string> {
  if (options.from !== undefined) return readFileSync(options.from as string, "utf8").replace(/\r?\n$/, "");
  if (process.env.BROOME_KEY_PASSPHRASE) return process.env.BROOME_KEY_PASSPHRASE;
  if (canAsk()) return ask(context, purpose);
  throw new BroomeError(
    "passphrase-missing",
    "the update keys need their passphrase, and nobody is there to type it",
    "Set BROOME_KEY_PASSPHRASE, or give --from FILE.",
  );
}

/** Throws BroomeError `passphrase-missing`, `passphrase-short`, `passphrase-wrong`. */
export function passphraseSource(context: Context, options: Options, purpose: "new" | "open"): Passphrase {
  return async () => {
    const text = await read(context, options, purpose);
    if (purpose === "new" && text.length < SHORTEST)
      throw new BroomeError("passphrase-short", `${text.length} characters`, `Take at least ${SHORTEST}.`);
    return text;
  };
}
