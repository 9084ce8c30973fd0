// `broome setup`: brings a board online over its serial port, by Improv where it answers that, else by its dialog.

import { ownServer } from "../admin-client.js";
import { BroomeError } from "../error.js";
import { canAsk, confirm } from "../prompt.js";
import { choosePort } from "../serial/choose.js";
import { openPort } from "../serial/open.js";
import { readSetupAnswers, type SetupAnswers } from "../setup/answers.js";
import { DialogClient } from "../setup/dialog-client.js";
import { ImprovClient } from "../setup/improv-client.js";
import { wordsFor, type Heard, type Outcome } from "../setup/outcome.js";
import { askJoinKey, askNetwork, askPassword, askServer } from "../setup/questions.js";
import { Screen } from "../setup/screen.js";
import type { Context, Options, Verb } from "../verb.js";

const BAUD_RATE = 115200; // of the firmware's UART (CONTRACT, "UART")
const DETECT_MS = 5_000;
const OFFER_MS = 8_000; // until a board that is online and has no server says so

export const verb: Verb = {
  name: "setup",
  summary: "bring a board online over its serial port",
  configure(command) {
    command
      .option(
        "--answers <file>",
        "JSON file with wifi.ssid, wifi.password, server.url, join.key: nobody is asked",
      )
      .option("--dialog", "use the board's dialog even where it speaks Improv");
  },
  run: runSetup,
};

/** How the board is talked to. */
interface Way {
  scan(): Promise<Heard[]>;
  join(ssid: string, password: string): Promise<Outcome>;
}

async function runSetup(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  if (args.length > 0) throw new BroomeError("usage", `${args[0]} is too much`, "See: broome setup --help");
  const answers = options.answers === undefined ? undefined : readSetupAnswers(options.answers as string);
  if (!answers && !canAsk())
    throw new BroomeError("answers-missing", "nobody is there to answer", "Give --answers FILE.");
  const started = Date.now();
  const port = await openPort(await choosePort(context.port), { baudRate: context.baud ?? BAUD_RATE });
  const screen = new Screen(port);
  const onAbort = () => {
    screen.end(
      new BroomeError("interrupted", "stopped as asked", "What the board has stored by now, it keeps."),
    );
    void port.close();
  };
  context.signal.addEventListener("abort", onAbort);
  try {
    const dialog = new DialogClient(screen);
    const way = await findWay(context, screen, dialog, options.dialog === true);
    const outcome = way && (await bringOnline(context, way, answers));
    if (outcome) context.log(`online: "${outcome.ssid}", address ${outcome.ip}`);
    const server = await nameServer(context, options, dialog, answers);
    const { ssid, ip, mac, url } = outcome ?? {};
    return {
      ...(outcome && { ssid, ip, mac }),
      ...(url !== undefined && { url }),
      ...server,
      ms: Date.now() - started,
    };
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    await port.close();
  }
}

/** Undefined: it is on line, and its dialog asks for a server alone. */
async function findWay(
  context: Context,
  screen: Screen,
  dialog: DialogClient,
  dialogOnly: boolean,
): Promise<Way | undefined> {
  const improv = new ImprovClient(screen);
  const state = dialogOnly ? undefined : await improv.detect(DETECT_MS);
  if (state) {
    const { firmware, version, chip, name } = await improv.info();
    context.log(`${name}: ${firmware} ${version} on ${chip}${state.online ? ", online already" : ""}`);
    return improv;
  }
  if (!dialogOnly) context.log("no answer to Improv; trying the board's dialog");
  const asked = await dialog.open(DETECT_MS * 2);
  if (asked === "network") return dialogWay(dialog);
  if (asked === "server") {
    context.log("the board is on line already: its dialog asks for a server, and for no network");
    return undefined;
  }
  if (dialogOnly && (await improv.detect(DETECT_MS))?.online)
    throw new BroomeError(
      "already-online",
      "the board is on line and has a server: its dialog asks for nothing",
      "Without --dialog it is given another network. To begin anew, hold its button for 15 s, or erase it.",
    );
  throw new BroomeError(
    "no-answer",
    "the board answers neither Improv nor at its dialog",
    "Is this the port, is the firmware flashed? `broome monitor` shows what the board says.",
  );
}

function dialogWay(dialog: DialogClient): Way {
  return {
    async scan() {
      const lines = await dialog.list();
      return lines.map((line) => {
        const [, name = "", rssi = "0", security = ""] =
          /^ +\d+ {2}(.*?) *\[[#.]+\] (-?\d+) dBm .* (\S+)$/.exec(line) ?? [];
        return { name, rssi: Number(rssi), secured: security !== "open" };
      });
    },
    join: (ssid, password) => dialog.join(ssid, password),
  };
}

async function bringOnline(context: Context, way: Way, answers: SetupAnswers | undefined): Promise<Outcome> {
  if (answers) {
    const outcome = await way.join(answers.ssid, answers.password);
    if (outcome.reason !== undefined) throw failed(outcome);
    return outcome;
  }
  let again: Parameters<typeof askPassword>[0] | undefined; // only the password was wrong
  for (;;) {
    const choice = again ?? (await askNetwork(await way.scan()));
    if (!choice) continue;
    const password = await askPassword(choice);
    context.log(`trying "${choice.ssid}" ...`);
    const outcome = await way.join(choice.ssid, password);
    if (outcome.reason === undefined) return outcome;
    context.log(`${outcome.said ?? wordsFor(outcome.reason)} [${outcome.reason}]`);
    again = outcome.reason.startsWith("wrong-password") ? choice : undefined;
  }
}

/** Names the server, where the board has none or a new one is given. */
async function nameServer(
  context: Context,
  options: Options,
  dialog: DialogClient,
  answers: SetupAnswers | undefined,
): Promise<{ server?: string; code?: string }> {
  if (answers && answers.server === undefined) return {};
  const wanted = await dialog.wantsServer(OFFER_MS, answers !== undefined);
  if (!wanted) {
    context.log(wanted === false ? "the board has its server" : "the board says nothing of a server yet");
    return {};
  }
  let before = answers ? undefined : await ownServer(context, options, () => true);
  for (;;) {
    const url = answers ? answers.server! : await askServer(before);
    before = url || before; // what was typed may be right, and only the key wrong
    if (url === "") {
      await dialog.leave();
      return {};
    }
    const fault = await dialog.server(url, async () => (answers ? answers.joinKey : askJoinKey()));
    if (fault === undefined) {
      const {
        code,
        reason,
        said = "",
        refused,
      } = await dialog.joined(async (shown) =>
        answers ? false : confirm(`Does the server's page show ${shown}?`, false),
      );
      if (refused) {
        if (answers) throw unpinned(url);
        context.log("not this server, then");
        continue;
      }
      if (reason === undefined) {
        if (code !== undefined) context.log(`compare this code on the server's page: ${code}`);
        else context.log("the board has its server, and says nothing of a code yet: see broome monitor");
        return { server: url, ...(code === undefined ? {} : { code }) };
      }
      const error = notTaken(reason, said);
      if (answers) throw error;
      context.log(`no server takes the board: ${error.message}`);
      continue;
    }
    if (answers) throw new BroomeError("server-unreachable", fault, "Correct server.url or join.key.");
    context.log(fault);
  }
}

function unpinned(url: string): BroomeError {
  return new BroomeError(
    "no-pin",
    `${url} has no pin: somebody would have to compare a code, and nobody is asked`,
    "Give server.url as `broome serve` prints it, with what follows the #.",
  );
}

function notTaken(reason: string, said: string): BroomeError {
  const word = reason.split(" ")[0]!;
  const code = word === "no" ? "join-key-invalid" : word;
  const message = `${said}[${reason}]`;
  return new BroomeError(code, message, "Correct server.url or join.key.");
}

function failed({ ssid, reason, said }: Outcome): BroomeError {
  const code = reason!.split(" ")[0]!;
  return new BroomeError(code, `"${ssid}" failed: ${reason}`, said ?? wordsFor(reason!));
}
