// Step 4 of the chain: when a person at the UART is offered the dialog, and when it is over.

import type { Address } from "../device/types.js";
import type { Base } from "../store/base.js";
import { knownNetworks } from "./known-networks.js";
import { Dialog } from "./serial-dialog.js";
import type { DialogListener } from "./serial-dialog.js";
import type { Radio, StepName, Watcher } from "./step.js";
import type { EnterListener, Terminal } from "./terminal.js";

export interface ServerAsker {
  /** The dialog's part about the server is over; `named`: one is stored now. Called once, with nothing else on the stack. */
  onServerAsked(named: boolean): void;
}

export class SerialStep implements Watcher, DialogListener, EnterListener {
  private readonly base: Base;
  private readonly terminal: Terminal;
  private readonly radio: Radio;
  private open = false; // the dialog for a network
  private beganMs = 0;
  private asker: ServerAsker | undefined; // while its part about the server is open

  constructor(base: Base, terminal: Terminal, radio: Radio) {
    this.base = base;
    this.terminal = terminal;
    this.radio = radio;
    terminal.enter = this; // during the first attempts too
  }

  onWaiting(): void {
    if (this.open || this.asker) return;
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

  /** Enter no longer asks for a server. */
  onLost(): void {
    this.terminal.enter = undefined;
  }

  /** Somebody is there, and wants to name a server. */
  nameServer(asker: ServerAsker): void {
    this.asker = asker;
    const { timer } = this.base.device;
    timer.set(() => new Dialog(this.base, this.terminal, this.radio, this).chooseServer(), 0);
  }

  onDialogEnd(named: boolean): void {
    const { asker, base, radio } = this;
    this.asker = undefined;
    if (asker) return asker.onServerAsked(named);
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
    this.begin();
  }

  private begin(): void {
    const { timer, system } = this.base.device;
    this.terminal.enter = undefined;
    this.open = true;
    this.beganMs = system.uptimeMs();
    timer.set(() => new Dialog(this.base, this.terminal, this.radio, this).chooseNetwork(), 0); // on an empty stack
  }
}
