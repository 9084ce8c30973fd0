// Drives the firmware's serial dialog, as a person would: for boards that do not speak Improv, and to name a server.

import { BroomeError } from "../error.js";
import type { Outcome } from "./outcome.js";
import type { Screen } from "./screen.js";

const CTRL_C = "\x03";
const PROMPT_MS = 10_000;
const SCAN_MS = 45_000;
const JOIN_MS = 60_000;
const REACH_MS = 20_000;
const CODE_MS = 20_000;
const OFFER_MS = 3_000;
const ENTERS = 3;
const LEAVE_MS = 500;
const SETTLE_MS = 300;

const ASKS_NETWORK = /Number or name of the network[^\n]*: $/;
const ASKS_PASSWORD = /Password[^\n]*: $/;
const ASKS_SERVER = /Server, as [^\n]*: $/;
const ASKS_KEY = /Join key[^\n]*: $/;
/** With why no server takes the board before it. */
const OFFERS_SERVER = /([^\n]*)Press Enter to set up the server/;

/** Asks the person at the board, or leaves the comparing to the owner. */
const COMPARES = /Does the server's page show (\d{6})\? \(y\/n\): $|Compare this code|state=approved/;

export interface Joined {
  readonly code?: string;
  /** Why there is none, and the board's words for it. */
  readonly reason?: string;
  readonly said?: string;
  /** The person said that the server's page shows another. */
  readonly refused?: true;
}

export class DialogClient {
  private readonly screen: Screen;

  constructor(screen: Screen) {
    this.screen = screen;
  }

  /**
   * Opens the dialog: what it asks for. A board that is on line asks for a server alone, and for nothing where it has one. Who has
   * just been asked is left alone for one attempt, and a board that starts hears later: so it is tried again, and what stands there
   * then must stay, or an Enter too many has answered it.
   */
  async open(ms: number): Promise<"network" | "server" | undefined> {
    const { screen } = this;
    const question = new RegExp(`${ASKS_NETWORK.source}|${ASKS_SERVER.source}`);
    const begins = new RegExp(`Looking for networks|${question.source}`);
    for (let tries = 0; tries < ENTERS; tries += 1) {
      screen.clear();
      await screen.type(CTRL_C);
      await screen.waitFor(/Press Enter to set up network/, LEAVE_MS);
      await screen.type("\r");
      if (!(await screen.waitFor(begins, ms / ENTERS)) || !(await screen.waitFor(question, ms))) continue;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      if (ASKS_SERVER.test(screen.said)) return "server";
      if (ASKS_NETWORK.test(screen.said)) return "network";
    }
    return undefined;
  }

  /** The lines of the list that stands above the question. */
  async list(): Promise<string[]> {
    if (!(await this.screen.waitFor(ASKS_NETWORK, SCAN_MS))) throw lost("the list of networks");
    return this.screen.said.split("\n").filter((line) => /^ +\d+ {2}\S/.test(line));
  }

  /** `choice`: a number of the list, or a name. */
  async join(choice: string, password: string): Promise<Outcome> {
    const { screen } = this;
    if (!ASKS_PASSWORD.test(screen.said)) {
      screen.clear();
      await screen.type(`${choice}\r`);
      const next = await screen.waitFor(
        new RegExp(`${ASKS_PASSWORD.source}|Trying "|There is no`),
        PROMPT_MS,
      );
      if (!next) throw lost("the question for the password");
      if (next[0].startsWith("There")) return { ssid: choice, reason: "not-found", said: next[0] };
    }
    if (!/Trying "/.test(screen.said)) {
      screen.clear();
      await screen.type(`${password}\r`);
    }
    const end = await screen.waitFor(
      /Connected: (\d+\.\d+\.\d+\.\d+)|\[((?:wrong-password|not-found|no-address|timeout)(?: \(\d+\))?)\]|That cannot be: ([^\n]+)/,
      JOIN_MS,
    );
    if (!end) throw lost("the end of the attempt");
    const [, ip, reason, fault] = end;
    if (ip !== undefined) return { ssid: choice, ip, mac: this.mac() };
    await screen.waitFor(new RegExp(`${ASKS_NETWORK.source}|${ASKS_PASSWORD.source}`), SCAN_MS);
    return {
      ssid: choice,
      reason: reason ?? "not-accepted",
      ...(fault === undefined ? {} : { said: fault }),
    };
  }

  /**
   * Whether the board asks for a server, or would; undefined where it says nothing of one within `ms`. `insist`: a board that
   * only waits for its owner's approval is made to ask.
   */
  async wantsServer(ms: number, insist: boolean): Promise<boolean | undefined> {
    const { screen } = this;
    const asked = new RegExp(`${ASKS_SERVER.source}|${OFFERS_SERVER.source}|join: code=|bound reply`);
    const found = await screen.waitFor(asked, ms);
    if (found && !/code=|bound/.test(found[0])) return true;
    if (insist && !found?.[0].startsWith("bound") && (await this.pressEnter())) return true;
    return found && false;
  }

  /**
   * Names a server; `joinKey` is asked for once the board has reached it.
   *
   * @returns what is wrong with it, in the board's words; undefined: it is stored
   */
  async server(url: string, joinKey: () => Promise<string>): Promise<string | undefined> {
    const { screen } = this;
    if (!ASKS_SERVER.test(screen.said)) await this.openServer();
    screen.clear();
    await screen.type(`${url}\r`);
    const refused = /That cannot be: ([^\n]+)|(Nothing answers there[^\n]+)/;
    const next = await screen.waitFor(new RegExp(`${refused.source}|${ASKS_KEY.source}`), REACH_MS);
    if (!next) throw lost("what the board says of the server");
    const fault = next[1] ?? next[2];
    if (fault !== undefined) return fault;
    const key = await joinKey();
    screen.clear();
    await screen.type(`${key}\r`);
    const end = await screen.waitFor(/The server is stored|That cannot be: ([^\n]+)/, PROMPT_MS);
    if (!end) throw lost("the end of the dialog");
    if (end[1] === undefined) return undefined;
    await screen.type(CTRL_C);
    return end[1];
  }

  /**
   * What became of it: the code that the owner compares on the server's page, or why there is none; neither: nothing was said.
   *
   * @param same whether the page shows that code: the board asks where it was given no pin, and keeps the server's only then
   */
  async joined(same: (code: string) => Promise<boolean>): Promise<Joined> {
    const end = /join: code=(\d{6}) state=pending|join: state=failed reason=([^\n]+)/;
    const [, code, reason] = (await this.screen.waitFor(end, CODE_MS)) ?? [];
    if (code !== undefined) return { code, ...(await this.compare(same)) };
    if (reason === undefined) return {};
    const offer = await this.screen.waitFor(OFFERS_SERVER, OFFER_MS);
    return { reason, said: offer?.[1] ?? "" }; // in the board's words
  }

  private async compare(same: (code: string) => Promise<boolean>): Promise<{ refused?: true }> {
    const { screen } = this;
    const [, asked] = (await screen.waitFor(COMPARES, CODE_MS)) ?? [];
    if (asked === undefined) return {};
    const good = await same(asked);
    screen.clear();
    await screen.type(good ? "y\r" : "n\r");
    if (good) return {};
    await screen.waitFor(/Not this server/, PROMPT_MS);
    return { refused: true };
  }

  /** Leaves the dialog where it stands. */
  async leave(): Promise<void> {
    await this.screen.type("\r");
  }

  /** Enter is heard while the board waits, and not while it tries. */
  private async openServer(): Promise<void> {
    for (let tries = 0; tries < ENTERS; tries += 1) if (await this.pressEnter()) return;
    throw lost("the question for the server");
  }

  /** True where it makes the board ask for a server. */
  private async pressEnter(): Promise<boolean> {
    this.screen.clear();
    await this.screen.type("\r");
    return (await this.screen.waitFor(ASKS_SERVER, PROMPT_MS / ENTERS)) !== undefined;
  }

  private mac(): string {
    return /wifi: address [^\n]*, mac ([\da-f:]+)/.exec(this.screen.said)?.[1] ?? "";
  }
}

function lost(what: string): BroomeError {
  return new BroomeError(
    "no-answer",
    `the board's dialog did not come to ${what}`,
    "Reset the board and try again; `broome monitor` shows what it says.",
  );
}
