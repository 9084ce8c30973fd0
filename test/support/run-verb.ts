// Runs a verb of the command in this process, with the context that the command line gives it.

import { Command } from "commander";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { createContext } from "../../tools/context.js";
import type { Context, Verb } from "../../tools/verb.js";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface VerbRun {
  /** Of a verb that succeeded. */
  readonly result?: Record<string, unknown>;
  /** Of one that did not. */
  readonly code?: string;
  /** All that it said, on both streams. */
  readonly text: string;
}

export interface VerbOptions {
  readonly chain?: Context["chain"];
  readonly server?: string;
  readonly port?: string;
  /** False: what a person at a terminal is told. */
  readonly json?: boolean;
  /** Sees each line as it is said. */
  readonly onSay?: (line: string) => void;
}

export async function runVerb(verb: Verb, argv: string[], options: VerbOptions = {}): Promise<VerbRun> {
  const command = new Command().exitOverride();
  verb.configure(command);
  command.parse(argv, { from: "user" });
  const { server, port, json = true } = options;
  const globals = { json, ...(server && { server }), ...(port && { port }) };
  const context = createContext(root, globals, options.chain ?? {}, new AbortController().signal);
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    options.onSay?.(line);
  };
  try {
    const result = await verb.run({ ...context, log: say, print: say }, command.args, command.opts());
    return { result, text: said.join("\n") };
  } catch (error) {
    const { code, message, help } = error as { code?: string; message: string; help?: string };
    return { code: code ?? message, text: [...said, message, help].join("\n") };
  }
}
