// Between two boards of a series: a port whose board is done is not opened again, which would reset that board, until it has been away.

export interface PluggedOptions {
  /** Is the adapter behind this port plugged in? False too for ports that cannot be unplugged: those of a network, a pty. */
  present(port: string): Promise<boolean>;
  /** Until it is worth looking again. @throws the signal's reason */
  pause(): Promise<void>;
  /** The user wants the board at the port looked at all the same: one adapter for all, in a jig. Asked at each look. */
  insists(): boolean;
  say(text: string): void;
}

export class Plugged {
  private readonly options: PluggedOptions;
  private done: string | undefined; // port

  constructor(options: PluggedOptions) {
    this.options = options;
  }

  /** The board at this port has its row. */
  finished(port: string): void {
    this.done = port;
  }

  /** Until another board can be there. @throws what `pause` throws */
  async untilAnother(): Promise<void> {
    const { present, pause, insists, say } = this.options;
    const port = this.done;
    if (port === undefined) return;
    insists(); // what was pressed before does not count
    for (let looks = 0; await present(port); looks += 1) {
      if (looks === 0) say(`${port} is looked at again when it has been unplugged, or on Enter`);
      else if (insists()) break;
      await pause();
    }
    this.done = undefined;
  }
}
