// Questions to the person at the terminal, and what happens when there is none.

import { BroomeError } from "./error.js";

/** True where somebody can answer. Questions go to stderr: stdout belongs to results. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

const streams = { output: process.stderr };

/** Defaults as `[default]`. */
const theme = { style: { defaultAnswer: (text: string) => `[${text}]` } };

/** Loaded when the first question is asked: it takes a tenth of a second. */
const prompts = () => import("@inquirer/prompts");

/** A numbered menu; resolves to the chosen value. Throws `interrupted`. */
export async function choose(message: string, choices: readonly string[]): Promise<string> {
  const { rawlist } = await prompts();
  return answered(rawlist({ message, choices: choices.map(choiceOf) }, streams));
}

/** What stands behind two spaces is for choosing by, and not repeated in the answer. */
function choiceOf(value: string): { value: string; short: string } {
  return { value, short: value.split("  ")[0]! };
}

/** Yes or no; Enter is `byEnter`. Throws `interrupted`. */
export async function confirm(message: string, byEnter = true): Promise<boolean> {
  const { confirm } = await prompts();
  return answered(confirm({ message, default: byEnter }, streams));
}

/** A line of text, `[default]` shown; `refuse` says why an answer is not taken. Throws `interrupted`. */
export async function ask(
  message: string,
  before: string,
  refuse: (answer: string) => string | undefined,
): Promise<string> {
  const { input } = await prompts();
  const validate = (answer: string) => refuse(answer) ?? true;
  const settings = { message, validate, theme, ...(before !== "" && { default: before }) };
  return answered(input(settings, streams));
}

/** A line that is not shown; an empty answer resolves to "". Throws `interrupted`. */
export async function askSecret(
  message: string,
  refuse: (answer: string) => string | undefined,
): Promise<string> {
  const { password } = await prompts();
  return answered(password({ message, validate: (answer) => refuse(answer) ?? true }, streams));
}

/** Ctrl-C at a question, and the end of the command meanwhile, as every verb reports them. Throws `interrupted`. */
export async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    const { name } = error as Error;
    if (name !== "ExitPromptError" && name !== "AbortPromptError") throw error;
    if (name === "ExitPromptError") process.emit("SIGINT"); // the prompt swallowed it: the command's own handler makes it exit code 130
    throw new BroomeError("interrupted", "stopped at a question", "Nothing was written.");
  }
}
