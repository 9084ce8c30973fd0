// Step 4 of the chain: a person at the UART chooses a network and a server. Both are tried before they are stored.

import { encodeUtf8 } from "../format/utf8.js";
import type { Address, ScanEntry } from "../device/types.js";
import { parseJoinKey } from "../protocol/join.js";
import { printable } from "../protocol/log-line.js";
import { parseServerUrl } from "../protocol/server-url.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { SENT_SERVER, SERVER } from "../store/keys.js";
import type { Base } from "../store/base.js";
import { knownNetworks } from "./known-networks.js";
import { networkFault, sameBytes, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import { reach } from "./reach.js";
import { knownServer } from "./server-page.js";
import { networkLines, wordsFor } from "./screen.js";
import type { SentEntry } from "./sent-server.js";
import type { Radio, StepName, Watcher } from "./step.js";
import type { Terminal } from "./terminal.js";
import type { Attempt } from "./try-network.js";

/** A person who began may be away this long before the dialog ends. */
const IDLE_MS = 120_000;
const SHOWN = 12;
/** Awaited first in what calls deeply: goes on with a stack of its own, whose 256 slots hold few nested async calls. */
const NEXT_TURN = undefined;

const HELP = `Choose by its number the network that this device shall use, or type its name if it hides it.
Enter takes what stands in [brackets], 0 looks again, Ctrl-C leaves. What you type is tried first, and stored
only if it works; what worked before stays stored.
`;

/** What was entered here; `fresh` until it led to a server that took the device. */
export interface ServerEntry {
  url: string;
  key: string; // join key
  fresh: boolean;
}

export class SerialStep implements Watcher {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private open = false;

  constructor(base: Base, terminal: Terminal, radio: Radio) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    terminal.onEnter = () => this.begin(); // during the first attempts too
  }

  onWaiting(): void {
    if (this.open) return;
    if (knownNetworks(this.base.store, false).length === 0) this.begin();
    else this.offer();
  }

  /** It came online without the person's doing: what they were asked is moot. */
  onOnline({ address }: Address, from: StepName): void {
    this.terminal.onEnter = undefined;
    if (!this.open || from === "serial") return;
    this.terminal.cancel();
    this.terminal.print(`Connected meanwhile: ${address}.\n`);
  }

  /** The question for a server can wait until it is online again. */
  onLost(): void {
    this.terminal.stopWaiting();
  }

  /** On line, but no server takes this device: for `waitMs` Enter opens the part of the dialog that names one. True if it did. */
  async askServer(waitMs: number): Promise<boolean> {
    await NEXT_TURN;
    if (!(await this.terminal.waitForEnter(waitMs))) return false;
    await new Dialog(this.base, this.terminal, this.radio).chooseServer();
    return true;
  }

  private offer(): void {
    this.terminal.print("Press Enter to set up network and server.\n");
    this.terminal.onEnter = () => this.begin();
  }

  private begin(): void {
    this.terminal.onEnter = undefined;
    void this.converse();
  }

  private async converse(): Promise<void> {
    this.open = true;
    await NEXT_TURN;
    const { system } = this.base.device;
    const began = system.uptimeMs();
    await new Dialog(this.base, this.terminal, this.radio).run();
    this.open = false;
    if (this.radio.online) return;
    this.base.log("chain", `step=serial result=none ms=${Math.round(system.uptimeMs() - began)}`);
    this.offer();
  }
}

/** Lives only while it is needed, and nothing else does then: so it may be written as people would read it. */
class Dialog {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private found: ScanEntry[] = [];

  constructor(base: Base, terminal: Terminal, radio: Radio) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
  }

  async run(): Promise<void> {
    const { terminal } = this;
    let network = await this.chooseNetwork();
    while (network && !this.radio.online) {
      terminal.print(`Trying "${printable(ssidText(network.ssid))}" ...\n`);
      const attempt = await this.attempt(network);
      if (attempt.address) {
        terminal.print(`Connected: ${attempt.address.address}. The network is stored.\n`);
        await this.chooseServer();
        return this.radio.goOn();
      }
      if (this.radio.online) return;
      terminal.print(`${wordsFor(attempt.reason)} [${attempt.reason}]\n`);
      network = attempt.reason.startsWith("wrong-password")
        ? await this.retry(network.ssid)
        : await this.chooseNetwork();
    }
  }

  private attempt(network: Network): Promise<Attempt> {
    return new Promise((done) => this.radio.request({ network, from: "serial", hold: true, done }));
  }

  /** A line, or undefined when the person has gone. */
  private async ask(prompt: string, hidden = false): Promise<string | undefined> {
    await NEXT_TURN;
    return this.terminal.readLine({ prompt, hidden, firstMs: IDLE_MS, idleMs: IDLE_MS });
  }

  private async chooseNetwork(): Promise<Network | undefined> {
    await NEXT_TURN;
    const { terminal } = this;
    await this.scan();
    for (;;) {
      const byEnter = this.found.length > 0 ? " [1]" : "";
      const answer = await this.ask(`Number or name of the network (0 = scan again, ? = help)${byEnter}: `);
      if (answer === undefined || this.radio.online) return undefined;
      const number = answer === "" ? (this.found.length > 0 ? 1 : 0) : Number(answer);
      const chosen = this.found[number - 1];
      if (number === 0) await this.scan();
      else if (answer === "?" || answer === "help") terminal.print(HELP);
      else if (!chosen && number > 0 && number <= 99) terminal.print(`There is no ${number} in the list.\n`);
      else {
        const network = await this.complete(chosen ? chosen.ssid : encodeUtf8(answer), chosen);
        if (network !== null) return network;
      }
    }
  }

  /** With its password; null where its name cannot be, undefined where the person has gone. */
  private async complete(
    ssid: Uint8Array,
    entry: ScanEntry | undefined,
  ): Promise<Network | null | undefined> {
    await NEXT_TURN;
    const network = { ssid, password: "" };
    let fault = networkFault(network);
    if (!fault && entry?.security !== "open") {
      const hint = entry ? "" : "; empty for an open network";
      const password = await this.ask(`Password (not shown${hint}): `, true);
      if (password === undefined) return undefined;
      network.password = password;
      fault = entry && password === "" ? "this network has a password" : networkFault(network);
    }
    if (!fault) return network;
    this.terminal.print(`That cannot be: ${fault}.\n`);
    return network.password === "" && !entry ? null : this.retry(ssid);
  }

  /** The same network again: only the password was wrong. */
  private async retry(ssid: Uint8Array): Promise<Network | undefined> {
    await NEXT_TURN;
    for (;;) {
      const name = printable(ssidText(ssid));
      const password = await this.ask(`Password of "${name}" (not shown; empty: another network): `, true);
      if (password === undefined) return undefined;
      if (password === "") return this.chooseNetwork();
      const fault = networkFault({ ssid, password });
      if (!fault) return { ssid, password };
      this.terminal.print(`That cannot be: ${fault}.\n`);
    }
  }

  private async scan(): Promise<void> {
    await NEXT_TURN;
    const { terminal, radio } = this;
    terminal.print("Looking for networks ...\n");
    const found = await new Promise<ScanEntry[]>((done) => radio.scan(done));
    this.found = found.filter(isFirstOfItsName).slice(0, SHOWN);
    for (const line of networkLines(this.found)) terminal.print(line);
    if (found.length === 0) terminal.print("No network is heard here.\n");
  }

  async chooseServer(): Promise<void> {
    await NEXT_TURN;
    const { terminal } = this;
    const { store, device } = this.base;
    for (;;) {
      const known = knownServer(store);
      const typed = await this.ask(`Server, as http://host:3000/#pin [${known ?? "none yet"}]: `);
      const url = typed === "" ? this.sent?.url : typed; // a phone named it: its join key is still wanted
      if (!url) return;
      try {
        const { host, port } = parseServerUrl(url);
        terminal.print(`Trying ${host}:${port} ...\n`);
        if (!(await reach(device, host, port))) {
          terminal.print("Nothing answers there. Check the address, and that the server runs.\n");
          continue;
        }
        const key = await this.askJoinKey();
        if (key === undefined) return;
        const entry: ServerEntry = { url, key, fresh: true };
        setRecord(store, SERVER, entry);
        store.delete(SENT_SERVER); // whatever was sent before: this is what the owner wants now
        terminal.print("The server is stored, and asked now whether it takes this device.\n");
        return;
      } catch (error) {
        const { message, help } = error as { message: string; help?: string };
        terminal.print(`That cannot be: ${message}. ${help ?? ""}\n`);
      }
    }
  }

  private get sent(): Partial<SentEntry> | undefined {
    return getRecord<SentEntry>(this.base.store, SENT_SERVER);
  }

  private async askJoinKey(): Promise<string | undefined> {
    await NEXT_TURN;
    const old = this.sent?.key || getRecord<ServerEntry>(this.base.store, SERVER)?.key;
    for (;;) {
      const key = await this.ask(`Join key (not shown${old ? "; Enter keeps the old one" : ""}): `, true);
      if (key === undefined) return undefined;
      if (key === "") return old ?? "";
      try {
        parseJoinKey(key);
        return key;
      } catch (error) {
        this.terminal.print(`That cannot be: ${(error as Error).message}.\n`); // asked again, still hidden
      }
    }
  }
}

/** The strongest access point of a name stands for all of them: scans are sorted. */
function isFirstOfItsName({ ssid }: ScanEntry, index: number, all: ScanEntry[]): boolean {
  return all.findIndex((other) => sameBytes(other.ssid, ssid)) === index;
}
