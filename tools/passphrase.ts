// Where the passphrase of the update keys comes from: a prompt, a file, or the environment; never the command line.

import { password } from "@inquirer/prompts";
import type { Command } from "commander";
import { BroomeError } from "./error.js";
import { readNamedFile } from "./named-file.js";
import { answered, canAsk } from "./prompt.js";
import type { Context, Options } from "./verb.js";
import type { Passphrase } from "./release/keys.js";

const SHORTEST = 8;

export function addPassphraseOption(command: Command): Command {
  return command.option("--from <file>", "file with the passphrase (or BROOME_KEY_PASSPHRASE)");
}

/** A new one is asked for twice, and again until it can be taken. */
async function ask(context: Context, purpose: "new" | "open"): Promise<string> {
  const prompt = { output: process.stderr };
  const { signal } = context;
  const line = (message: string, validate?: (text: string) => string | true) =>
    answered(password({ message, mask: true, ...(validate && { validate }) }, { ...prompt, signal }));
  if (purpose === "open") return line("Passphrase of the update keys");
  for (;;) {
    const long = (text: string) => text.length >= SHORTEST || `at least ${SHORTEST} characters`;
    const first = await line("Passphrase of the update keys", long);
    if ((await line("Once more")) === first) return first;
    context.log("These were not the same. Once more, from the beginning.");
  }
}

async function read(context: Context, options: Options, purpose: "new" | "open"): Promise<string> {
  if (options.from !== undefined)
    return Buffer.from(readNamedFile(options.from as string))
      .toString()
      .replace(/\r?\n$/, "");
  if (process.env.BROOME_KEY_PASSPHRASE) return process.env.BROOME_KEY_PASSPHRASE;
  if (canAsk()) return ask(context, purpose);
  throw new BroomeError(
    "passphrase-missing",
    "the update keys need their passphrase, and nobody is there to type it",
    "Set BROOME_KEY_PASSPHRASE, or give --from FILE.",
  );
}

/** Throws BroomeError `passphrase-missing`, `passphrase-short`, `file-unreadable`. */
export function passphraseSource(context: Context, options: Options, purpose: "new" | "open"): Passphrase {
  return async () => {
    const text = await read(context, options, purpose);
    if (purpose === "new" && text.length < SHORTEST)
      throw new BroomeError("passphrase-short", `${text.length} characters`, `Take at least ${SHORTEST}.`);
    return text;
  };
}
