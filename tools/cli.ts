// The `broome` command: finds the verbs on the command line, runs them in order, and turns errors into exit codes.

import { Command, InvalidArgumentError, CommanderError } from "commander";
import { createContext, type Globals } from "./context.js";
import { findRoot, projectVersion } from "./project.js";
import { splitVerbs } from "./split-verbs.js";
import { BroomeError } from "./error.js";
import { verbs } from "./verbs.js";
import type { Context, Verb } from "./verb.js";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

/** Options that would put a secret on the command line, where every process on the machine can read it. */
const secretOption =
  /^--?(wifi[.-]?)?(password|passphrase|psk)(=|$)|^--((join|device|smartconfig)[.-]?key|admin[.-]?token|token|secret)(=|$)/;
/** Without a value it makes a verb ask. */
const ASKS = "--join-key";

function secretAmong(argv: readonly string[]): string | undefined {
  const asks = (i: number) => argv[i] === ASKS && (argv[i + 1] ?? "-").startsWith("-");
  return argv.find((argument, i) => secretOption.test(argument) && !asks(i));
}

/** What a port takes is for the verb to say. */
function baudRate(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number, 115200 for example.");
}

/** Adds what every verb takes, before or after its name. */
function addGlobals(command: Command): Command {
  return command
    .option(
      "-p, --port <port>",
      "serial port: a path, rfc2217://host:port or socket://host:port (or BROOME_PORT)",
    )
    .option("-b, --baud <rate>", "line speed in baud", baudRate)
    .option("--server <url>", "admin URL of the server (or BROOME_SERVER)")
    .option("--json", "last line on stdout is the result as JSON");
}

function newCommand(verb: Verb): Command {
  const command = addGlobals(new Command(`broome ${verb.name}`))
    .description(verb.summary)
    .exitOverride();
  command.configureOutput({
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => process.stderr.write(text),
  });
  verb.configure(command);
  return command;
}

function helpText(root: string): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2;
  return [
    `broome ${projectVersion(root)}: ship an ESP gadget anywhere`,
    "",
    "usage: broome [-p PORT] [-b BAUD] [--server URL] [--json] VERB [ARGS] [VERB [ARGS]]...",
    "",
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}${verb.summary}`),
    "",
    "broome VERB --help tells more. build, patch, flash and monitor chain: broome -p PORT build patch flash monitor",
  ].join("\n");
}

function usage(message: string): BroomeError {
  return new BroomeError("usage", message, "See: broome --help");
}

async function runVerbs(
  argv: string[],
  root: string,
  globals: Globals,
  signal: AbortSignal,
): Promise<object> {
  const secret = secretAmong(argv);
  if (secret !== undefined)
    throw new BroomeError(
      "secret-on-command-line",
      `${secret.split("=")[0]} would be readable by every process of this machine`,
      "Leave it out and answer the prompt, use --from FILE, or set BROOME_WIFI_PASSWORD, BROOME_JOIN_KEY, BROOME_SMARTCONFIG_KEY or BROOME_ADMIN_TOKEN.",
    );
  const calls = await splitVerbs(argv, newCommand);
  const chain: Context["chain"] = {};
  let result: Record<string, unknown> = {};
  for (const [i, { verb, command, argv: own }] of calls.entries()) {
    delete chain.next;
    if (i + 1 < calls.length) chain.next = calls[i + 1]!.verb.name;
    command.parse(own, { from: "user" });
    Object.assign(
      globals,
      Object.fromEntries(Object.entries(command.opts()).filter(([, value]) => value !== undefined)),
    );
    result = await verb.run(createContext(root, globals, chain, signal), command.args, command.opts());
  }
  return result;
}

interface UserError {
  code: string;
  message: string;
  help: string;
}

function asUserError(error: unknown): UserError {
  if (error instanceof CommanderError) return usage(error.message.replace(/^error: /, ""));
  if (error instanceof Error && error.name === "AbortError")
    return { code: "interrupted", message: "stopped as asked", help: "Nothing was left half-written." };
  if (error instanceof Error && "code" in error && "help" in error && typeof error.help === "string")
    return { code: String(error.code), message: error.message, help: error.help };
  const message = error instanceof Error ? error.message : String(error);
  if (process.env.BROOME_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return {
    code: "internal",
    message,
    help: "This is a defect of broome. BROOME_DEBUG=1 shows where it comes from.",
  };
}

/**
 * Runs one command line.
 *
 * @returns the exit code: 0 ok, 1 failed, 2 usage, 130 interrupted
 */
export async function main(argv: string[]): Promise<number> {
  const root = findRoot();
  if (argv.length === 0 || argv[0] === "--help" || argv[0] === "-h" || argv[0] === "help") {
    console.log(helpText(root));
    return argv.length === 0 ? EXIT_USAGE : 0;
  }
  if (argv[0] === "--version") {
    console.log(projectVersion(root));
    return 0;
  }
  const json = argv.includes("--json");
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED);
    interrupt.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  process.stdout.on("error", () => interrupt.abort()); // nobody reads any more, as behind `| head`
  process.stderr.on("error", () => undefined);
  try {
    const result = await runVerbs(argv, root, { json }, interrupt.signal);
    if (json) console.log(JSON.stringify({ ok: true, ...result }));
    return interrupt.signal.aborted && !("interrupted" in result) ? EXIT_INTERRUPTED : 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // --help of a verb
    const { code, message, help } = asUserError(error);
    const fields = error instanceof BroomeError ? error.fields : {};
    if (json) console.log(JSON.stringify({ ok: false, code, message, help, ...fields }));
    if (!(error instanceof CommanderError)) process.stderr.write(`${code}: ${message}\n  ${help}\n`);
    if (interrupt.signal.aborted) return EXIT_INTERRUPTED;
    return code === "usage" ? EXIT_USAGE : EXIT_FAILED;
  }
}
