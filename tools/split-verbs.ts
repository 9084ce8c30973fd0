// Cuts a command line into its verbs, as idf.py does: `broome -p PORT build --chip esp32c3 patch flash`.

import type { Command } from "commander";
import { BroomeError } from "./error.js";
import { verbs } from "./verbs.js";
import type { Verb } from "./verb.js";

export interface Call {
  verb: Verb;
  command: Command;
  argv: string[];
}

const globalsWithValue = new Set(["-p", "--port", "-b", "--baud", "--server"]);

/** Does this option take the next word as its value? */
function takesNextWord(word: string, command: Command): boolean {
  if (word.includes("=")) return false;
  const option = command.options.find(({ short, long }) => word === short || word === long);
  return option !== undefined && option.required;
}

function entryOf(name: string) {
  const dashed = name.replaceAll("_", "-");
  return verbs.find((entry) => entry.name === dashed || entry.aliases?.includes(dashed));
}

/**
 * Splits `argv` at its verbs. Words before the first verb go to that verb.
 *
 * @throws BroomeError `usage` where there is no verb, or one that is not known
 */
export async function splitVerbs(argv: string[], newCommand: (verb: Verb) => Command): Promise<Call[]> {
  let at = 0;
  while (at < argv.length && argv[at]!.startsWith("-")) at += globalsWithValue.has(argv[at]!) ? 2 : 1;
  const before = argv.slice(0, at);
  const calls: Call[] = [];
  while (at < argv.length) {
    const name = argv[at]!;
    const entry = entryOf(name);
    if (!entry) throw new BroomeError("usage", `"${name}" is not a verb of broome`, "See: broome --help");
    const { verb } = await entry.load();
    const command = newCommand(verb);
    const own = calls.length === 0 ? [...before] : [];
    for (at += 1; at < argv.length; at += 1) {
      const word = argv[at]!;
      if (entry.chains && entryOf(word)?.chains) break;
      own.push(word);
      if (word.startsWith("-") && takesNextWord(word, command) && at + 1 < argv.length) own.push(argv[++at]!);
    }
    calls.push({ verb, command, argv: own });
  }
  if (calls.length === 0) throw new BroomeError("usage", "which verb?", "See: broome --help");
  return calls;
}
