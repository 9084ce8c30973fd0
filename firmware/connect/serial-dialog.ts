// Step 4 of the chain: a person at the UART chooses a network and a server. Both are tried before they are stored.

import { encodeUtf8 } from "../format/utf8.js";
import type { ScanEntry } from "../device/types.js";
import { parseJoinKey } from "../protocol/join.js";
import { printable } from "../protocol/log-line.js";
import { parseServerUrl } from "../protocol/server-url.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { IDENTITY, SERVER } from "../store/keys.js";
import { defaultValues, textDefault } from "../store/defaults-record.js";
import type { Base } from "../store/base.js";
import type { LogStore } from "../store/log-store.js";
import { defaultNetwork } from "./defaults.js";
import { loadNetworks, networkFault, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import { reach } from "./reach.js";
import type { Radio, Step, StepResult } from "./step.js";
import type { Terminal } from "./terminal.js";

/** A person who began may be away this long before the networks are tried again. */
const IDLE_MS = 120_000;
const SHOWN = 12;
/** Awaited first in what calls deeply: goes on with a stack of its own, whose 256 slots hold few nested async calls. */
const NEXT_TURN = undefined;

/** What was entered here; `fresh` until it led to a server that took the device. */
export interface ServerEntry {
  url: string;
  key: string; // join key
  fresh: boolean;
}

export class SerialStep implements Step {
  readonly name = "serial";
  private readonly base: Base;
  private readonly terminal: Terminal;

  constructor(base: Base, terminal: Terminal) {
    this.base = base;
    this.terminal = terminal;
  }

  ask(radio: Radio, pass: number, patienceMs: number): Promise<StepResult> {
    return new Dialog(this.base, this.terminal, radio, patienceMs).run(pass);
  }

  /** On line, but no server takes this device: for `waitMs` a key opens the part of the dialog that names one. */
  async askServer(radio: Radio, waitMs: number): Promise<void> {
    await NEXT_TURN;
    if (!(await this.terminal.waitForKey(waitMs))) return;
    await new Dialog(this.base, this.terminal, radio, IDLE_MS).chooseServer();
  }
}

/** Lives only while it is needed, and nothing else does then: so it may be written as people would read it. */
class Dialog {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private readonly patienceMs: number;
  private firstMs: number;

  constructor(base: Base, terminal: Terminal, radio: Radio, patienceMs: number) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    this.patienceMs = this.firstMs = patienceMs;
  }

  async run(pass: number): Promise<StepResult> {
    const { terminal } = this;
    const { store } = this.base;
    const unknown = loadNetworks(store).length === 0 && !defaultNetwork(store);
    if (pass > 1 || !unknown) {
      terminal.print("Press Enter to set up network and server.\n");
      if (!(await terminal.waitForKey(this.patienceMs))) return { reason: "none" };
      this.firstMs = IDLE_MS;
    }
    for (;;) {
      const network = await this.chooseNetwork();
      if (!network) return { reason: "none" };
      terminal.print(`Trying "${printable(ssidText(network.ssid))}" ...\n`);
      const attempt = await this.radio.attempt(network);
      if (!attempt.address) {
        terminal.print(`${wordsFor(attempt.reason)} [${attempt.reason}]\n`);
        continue;
      }
      this.radio.keep(network, attempt);
      terminal.print(`Connected: ${attempt.address.address}. The network is stored.\n`);
      await this.chooseServer();
      return attempt;
    }
  }

  /** A line, or undefined when the person has gone: then the chain goes on. */
  private async ask(prompt: string, hidden = false): Promise<string | undefined> {
    await NEXT_TURN;
    const { terminal } = this;
    const line = await terminal.readLine({ prompt, hidden, firstMs: this.firstMs, idleMs: IDLE_MS });
    if (line !== undefined) this.firstMs = IDLE_MS;
    return line;
  }

  private async chooseNetwork(): Promise<Network | undefined> {
    await NEXT_TURN;
    const { terminal } = this;
    let found = await this.scan();
    for (;;) {
      const answer = await this.ask("Number or name of the network (0 = scan again): ");
      if (answer === undefined) return undefined;
      const number = answer === "" ? 0 : Number(answer);
      if (number === 0) {
        found = await this.scan();
        continue;
      }
      const chosen = found[number - 1];
      if (!chosen && number > 0 && number <= 99) {
        terminal.print(`There is no ${number} in the list.\n`);
        continue;
      }
      const ssid = chosen ? chosen.ssid : encodeUtf8(answer);
      let password: string | undefined = "";
      if (chosen?.security !== "open") {
        password = await this.ask("Password (not shown; empty for an open network): ", true);
        if (password === undefined) return undefined;
      }
      const fault = networkFault({ ssid, password });
      if (!fault) return { ssid, password };
      terminal.print(`That cannot be: ${fault}.\n`);
    }
  }

  private async scan(): Promise<ScanEntry[]> {
    await NEXT_TURN;
    const { terminal } = this;
    const { station } = this.base.device;
    terminal.print("Looking for networks ...\n");
    const found = await new Promise<ScanEntry[] | undefined>((resolve) => station.scan(resolve));
    if (!found || found.length === 0) {
      terminal.print("No network is heard here.\n");
      return [];
    }
    const shown = found.slice(0, SHOWN);
    for (let i = 0; i < shown.length; i += 1) {
      const { ssid, rssi, security } = shown[i]!;
      const name = printable(ssidText(ssid)) || "(hidden)";
      terminal.print(`${String(i + 1).padStart(3)}  ${name.padEnd(32)} ${rssi} dBm  ${security}\n`);
    }
    return shown;
  }

  async chooseServer(): Promise<void> {
    await NEXT_TURN;
    const { terminal } = this;
    const { store, device } = this.base;
    for (;;) {
      const known = knownServer(store);
      const keep = known === undefined ? "Enter: none yet" : `Enter keeps ${known}`;
      const url = await this.ask(`Server, as http://host:3000/#pin (${keep}): `);
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
        terminal.print("The server is stored.\n");
        return;
      } catch (error) {
        const { message, help } = error as { message: string; help?: string };
        terminal.print(`That cannot be: ${message}. ${help ?? ""}\n`);
      }
    }
  }

  private async askJoinKey(): Promise<string | undefined> {
    await NEXT_TURN;
    const old = getRecord<ServerEntry>(this.base.store, SERVER)?.key;
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

/** The address that the device uses now, for "Enter keeps". */
function knownServer(store: LogStore): string | undefined {
  const entered = getRecord<ServerEntry>(store, SERVER)?.url;
  const joined = getRecord<{ url: string }>(store, IDENTITY)?.url;
  return joined ?? entered ?? textDefault(defaultValues(store), "server.url");
}

function wordsFor(reason: string): string {
  const word = reason.split(" ")[0];
  if (word === "wrong-password") return "The password was not accepted.";
  if (word === "not-found") return "That network is not heard here.";
  if (word === "no-address") return "The network gave no address: its router may be full or busy.";
  return "It did not answer in time.";
}
