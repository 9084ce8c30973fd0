// How far a build with the SDK is: on a terminal in one line that changes, else, every half minute, in a line of its own.

const EVERY_MS = 30_000;
const WIDTH = 70; // columns

export interface Screen {
  readonly tty: boolean;
  write(text: string): void;
  log(text: string): void;
}

export class BuildSteps {
  private readonly screen: Screen;
  private readonly started = Date.now();
  private readonly timer: NodeJS.Timeout | undefined;
  private count = 0;
  private last = "starting";

  constructor(screen: Screen) {
    this.screen = screen;
    if (!screen.tty) this.timer = setInterval(() => this.tell(), EVERY_MS).unref();
  }

  /** This begins, and what was before is over. */
  step(what: string): void {
    this.count += 1;
    this.last = what;
    const { tty, write } = this.screen;
    if (tty) write(`\r\x1b[K${`${this.count}  ${what}`.slice(0, WIDTH)}`);
  }

  end(): void {
    clearInterval(this.timer);
    const { tty, write } = this.screen;
    if (tty && this.count > 0) write("\r\x1b[K");
  }

  private tell(): void {
    const seconds = Math.round((Date.now() - this.started) / 1000);
    this.screen.log(`  ${seconds} s, step ${this.count}: ${this.last}`);
  }
}
