// Step 4 of the chain: when a person at the UART is offered the dialog, and when it is over.

import type { Address } from "../device/types.js";
import type { Base } from "../store/base.js";
import { knownNetworks } from "./known-networks.js";
import { Dialog } from "./serial-dialog.js";
import type { DialogListener } from "./serial-dialog.js";
import type { Radio, StepName, Watcher } from "./step.js";
import type { EnterListener, Terminal } from "./terminal.js";

export interface ServerAsker {
  /** The person was there and had the dialog's part about the server, or never came; `named`: one is stored now. Called once, with nothing else on the stack. */
  onServerAsked(came: boolean, named: boolean): void;
}

export class SerialStep implements Watcher, DialogListener, EnterListener {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private open = false; // the dialog for a network
  private beganMs = 0;
  private asker: ServerAsker | undefined;
  private limit: unknown; // of the wait for Enter

  constructor(base: Base, terminal: Terminal, radio: Radio) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    terminal.enter = this; // during the first attempts too
  }

  onWaiting(): void {
    if (this.open) return;
    if (knownNetworks(this.base.store, false).length > 0) return this.offer();
    // The log stands above: from here on it is a person's.
    this.terminal.print(`\nSet-up of ${this.base.config.product}: first its network, then its server.\n`);
    this.begin();
  }

  /** It came online without the person's doing: what they were asked is moot. */
  onOnline({ address }: Address, from: StepName): void {
    this.terminal.enter = undefined;
    if (!this.open || from === "serial") return;
    this.terminal.cancel();
    this.terminal.print(`Connected meanwhile: ${address}.\n`);
  }

  /** The question for a server can wait until it is online again. */
  onLost(): void {
    if (this.limit !== undefined) this.endWait(false);
  }

  /** On line, but no server takes this device: for `waitMs` Enter opens the part of the dialog that names one. */
  askServer(waitMs: number, asker: ServerAsker): void {
    this.asker = asker;
    this.limit = this.base.device.timer.set(() => this.endWait(false), waitMs);
    this.terminal.enter = this;
  }

  /** Somebody is there, and wants to name a server. */
  nameServer(asker: ServerAsker): void {
    this.asker = asker;
    this.base.device.timer.set(() => this.beginServer(), 0);
  }

  onDialogEnd(named: boolean): void {
    const { asker, base, radio } = this;
    this.asker = undefined;
    if (asker) return asker.onServerAsked(true, named);
    this.open = false;
    if (radio.online) return;
    const ms = Math.round(base.device.system.uptimeMs() - this.beganMs);
    base.log("chain", `step=serial result=none ms=${ms}`);
    this.offer();
  }

  private offer(): void {
    this.terminal.print("Press Enter to set up network and server.\n");
    this.terminal.enter = this;
  }

  onEnter(): void {
    if (this.limit === undefined) this.begin();
    else this.endWait(true);
  }

  private begin(): void {
    const { timer, system } = this.base.device;
    this.terminal.enter = undefined;
    this.open = true;
    this.beganMs = system.uptimeMs();
    timer.set(() => new Dialog(this.base, this.terminal, this.radio, this).chooseNetwork(), 0); // on an empty stack
  }

  private endWait(pressed: boolean): void {
    const { timer } = this.base.device;
    timer.clear(this.limit);
    this.limit = this.terminal.enter = undefined;
    timer.set(() => (pressed ? this.beginServer() : this.giveUp()), 0);
  }

  private beginServer(): void {
    new Dialog(this.base, this.terminal, this.radio, this).chooseServer();
  }

  private giveUp(): void {
    const { asker } = this;
    this.asker = undefined;
    asker?.onServerAsked(false, false);
  }
}
