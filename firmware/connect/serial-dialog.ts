// The dialog of a person at the UART, who chooses a network and a server. Both are tried before they are stored.
//
// It is the hand of a clock: each question is a method, and the answer comes to `onLine`. As async functions that waited for one another
// it took 4 KB more, and slots that XS has once taken it never gives back to the chunks.

import { encodeUtf8 } from "../format/utf8.js";
import type { ScanList } from "../device/types.js";
import { parseJoinKey } from "../protocol/join.js";
import { printable } from "../protocol/log-line.js";
import { parseServerUrl } from "../protocol/server-url.js";
import { getRecord, setRecord } from "../store/json-record.js";
import { SENT_SERVER, SERVER } from "../store/keys.js";
import type { Base } from "../store/base.js";
import type { ServerEntry } from "./entered-server.js";
import { isFirstOfItsName, placeOf } from "./heard.js";
import { networkFault, ssidText } from "./networks.js";
import type { Network } from "./networks.js";
import { Reach } from "./reach.js";
import type { ReachListener } from "./reach.js";
import { knownServer } from "./server-page.js";
import { networkLine, wordsFor } from "./screen.js";
import type { SentEntry } from "./sent-server.js";
import type { Radio } from "./step.js";
import type { LineListener, Terminal } from "./terminal.js";
import type { Attempt } from "./try-network.js";

/** A person who began may be away this long before the dialog ends. */
const IDLE_MS = 120_000;
const SHOWN = 12; // networks
/** What is typed as one of these is no network's name. */
const MOST_NUMBERS = 99;

const HELP = `Choose by its number the network that this device shall use, or type its name if it hides it.
Enter takes what stands in [brackets], 0 looks again, Ctrl-C leaves. What you type is tried first, and stored
only if it works; what worked before stays stored.
`;

const NO_PIN =
  "Without its #pin another server could pose as this one: none is trusted until you have compared a code.\n";
const SERVER_HELP =
  "The address that `broome serve` prints for devices, with what follows its #. Enter alone: no server now.\n";
const KEY_HELP = "Whoever has the server makes one: broome join-keys create. It has 30 characters.\n";
const NO_KEY = "Without a join key, only a server that knows this device already will take it.\n";

export interface DialogListener {
  /** It is over; `named`: a server was stored. */
  onDialogEnd(named: boolean): void;
}

type Asked = "network" | "password" | "password again" | "server" | "join key";

export class Dialog implements LineListener, ReachListener {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private readonly listener: DialogListener;
  private asked: Asked = "network";
  private found: ScanList | undefined; // while its numbers can be chosen
  private network: Network | undefined; // that was chosen
  private locked = false; // it is known to have a password
  private holding = false; // it led on line, and nobody else was told
  private url = ""; // of the server that was named

  constructor(base: Base, terminal: Terminal, radio: Radio, listener: DialogListener) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    this.listener = listener;
  }

  /** From the list of networks on. */
  chooseNetwork(): void {
    this.terminal.print("Looking for networks ...\n");
    this.radio.scan((found) => this.show(found));
  }

  /** The part about the server alone. */
  chooseServer(): void {
    const known = knownServer(this.base.store);
    this.ask("server", `Server, as http://host:3000/#pin [${known ?? "none yet"}]: `);
  }

  onLine(line: string | undefined): void {
    const { asked } = this;
    if (asked === "server") this.takeServer(line);
    else if (asked === "join key") this.takeJoinKey(line);
    else if (line === undefined || this.radio.online) this.end();
    else if (asked === "network") this.takeNetwork(line);
    else if (asked === "password") this.takePassword(line);
    else this.takePasswordAgain(line);
  }

  private ask(asked: Asked, prompt: string): void {
    this.asked = asked;
    const hidden = asked !== "network" && asked !== "server";
    this.terminal.ask({ prompt, hidden, firstMs: IDLE_MS, idleMs: IDLE_MS }, this);
  }

  private refuse(why: string): void {
    this.terminal.print(`That cannot be: ${why}.\n`);
  }

  private end(named = false): void {
    if (this.holding) this.radio.goOn();
    this.listener.onDialogEnd(named);
  }

  // --- the network ---

  private show(found: ScanList | undefined): void {
    let number = 0;
    for (let place = 0; place < (found?.length ?? 0) && number < SHOWN; place += 1) {
      if (!isFirstOfItsName(found!, place)) continue;
      number += 1;
      this.terminal.print(networkLine(found!, place, number));
    }
    if (number === 0) this.terminal.print("No network is heard here.\n");
    this.found = number > 0 ? found : undefined;
    this.askNetwork();
  }

  private askNetwork(): void {
    const byEnter = this.found ? " [1]" : "";
    this.ask("network", `Number or name of the network (0 = scan again, ? = help)${byEnter}: `);
  }

  private takeNetwork(answer: string): void {
    const { found, terminal } = this;
    const number = answer === "" ? (found ? 1 : 0) : Number(answer);
    const place = found && number <= SHOWN ? placeOf(found, number) : -1;
    if (number === 0) return this.chooseNetwork();
    if (place >= 0) return this.choose(found!.ssid(place).slice(), found!.security(place));
    if (isQuestion(answer)) terminal.print(HELP);
    else if (number > 0 && number <= MOST_NUMBERS) terminal.print(`There is no ${number} in the list.\n`);
    else return this.choose(encodeUtf8(answer), undefined);
    this.askNetwork();
  }

  /** `security`: as it was heard; undefined where the name was typed. */
  private choose(ssid: Uint8Array, security: string | undefined): void {
    const network = { ssid, password: "" };
    const fault = networkFault(network);
    if (fault) {
      this.refuse(fault);
      return this.askNetwork();
    }
    this.found = undefined;
    this.network = network;
    if (security === "open") return this.try();
    this.locked = security !== undefined;
    this.ask("password", `Password (not shown${this.locked ? "" : "; empty for an open network"}): `);
  }

  private takePassword(password: string): void {
    const network = this.network!;
    network.password = password;
    const fault = this.locked && password === "" ? "this network has a password" : networkFault(network);
    if (!fault) return this.try();
    this.refuse(fault);
    this.askPasswordAgain();
  }

  /** For the same network: only the password was wrong. */
  private askPasswordAgain(): void {
    const name = printable(ssidText(this.network!.ssid));
    this.ask("password again", `Password of "${name}" (not shown; empty: another network): `);
  }

  private takePasswordAgain(password: string): void {
    if (password === "") this.chooseNetwork();
    else this.takePassword(password);
  }

  private try(): void {
    const network = this.network!;
    this.terminal.print(`Trying "${printable(ssidText(network.ssid))}" ...\n`);
    const { timer } = this.base.device;
    const done = (attempt: Attempt) => void timer.set(() => this.tried(attempt), 0); // what follows goes deep
    this.radio.request({ network, from: "serial", hold: true, done });
  }

  private tried({ address, reason }: Attempt): void {
    const { terminal } = this;
    if (address) {
      this.holding = true;
      this.network = undefined;
      terminal.print(`Connected: ${address.address}. The network is stored.\n`);
      return this.chooseServer();
    }
    if (this.radio.online) return this.end();
    terminal.print(`${wordsFor(reason)} [${reason}]\n`);
    if (reason.startsWith("wrong-password")) this.askPasswordAgain();
    else this.chooseNetwork();
  }

  // --- the server ---

  private takeServer(typed: string | undefined): void {
    const url = typed === "" ? this.sent?.url : typed; // a phone named it: its join key is still wanted
    if (!url) return this.end();
    if (isQuestion(url)) {
      this.terminal.print(SERVER_HELP);
      return this.chooseServer();
    }
    try {
      const { host, port, pin } = parseServerUrl(url);
      this.url = url;
      if (pin === undefined && !this.base.config.serverPin) this.terminal.print(NO_PIN);
      this.terminal.print(`Trying ${host}:${port} ...\n`);
      new Reach(this.base.device, host, port, this);
    } catch (error) {
      this.refuseServer(error);
    }
  }

  private refuseServer(error: unknown): void {
    const { message, help } = error as { message: string; help?: string };
    this.terminal.print(`That cannot be: ${message}. ${help ?? ""}\n`);
    this.chooseServer();
  }

  onReached(good: boolean): void {
    if (good) return this.askJoinKey();
    this.terminal.print("Nothing answers there. Check the address, and that the server runs.\n");
    this.chooseServer();
  }

  private askJoinKey(): void {
    this.ask("join key", `Join key (not shown${this.oldKey ? "; Enter keeps the old one" : ""}): `);
  }

  private takeJoinKey(key: string | undefined): void {
    if (key === undefined) return this.end();
    if (isQuestion(key)) {
      this.terminal.print(KEY_HELP);
      return this.askJoinKey();
    }
    try {
      if (key !== "") parseJoinKey(key);
    } catch (error) {
      this.refuse((error as Error).message);
      return this.askJoinKey(); // still hidden
    }
    if (key === "" && !this.oldKey) this.terminal.print(NO_KEY);
    this.keepServer({ url: this.url, key: key || (this.oldKey ?? ""), fresh: true });
  }

  private keepServer(entry: ServerEntry): void {
    const { store } = this.base;
    try {
      setRecord(store, SERVER, entry);
      store.delete(SENT_SERVER); // whatever was sent before: this is what the owner wants now
    } catch (error) {
      return this.refuseServer(error);
    }
    this.terminal.print("The server is stored, and asked now whether it takes this device.\n");
    this.end(true);
  }

  private get sent(): Partial<SentEntry> | undefined {
    return getRecord<SentEntry>(this.base.store, SENT_SERVER);
  }

  private get oldKey(): string | undefined {
    return this.sent?.key || getRecord<ServerEntry>(this.base.store, SERVER)?.key;
  }
}

function isQuestion(answer: string): boolean {
  return answer === "?" || answer === "help";
}
