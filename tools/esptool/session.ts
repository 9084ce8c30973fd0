// A stay in the bootloader: who is there, at which baud rate, with or without the stub, and how to get it back when the line fails.

import type { Partition } from "../../firmware/format/partition-table.js";
import { Op } from "./command.js";
import { readIdentity, type Identity } from "./identity.js";
import type { Loader } from "./loader.js";
import { readFlashChip, type FlashChip } from "./spi-flash.js";
import { startStub, type Stub } from "./stub.js";

/** Rates to go down to, one by one. */
const LOWER_RATES = [921_600, 460_800, 230_400, 115_200];

export interface Board {
  readonly identity: Identity;
  readonly flash: FlashChip;
  readonly flashSize: number; // bytes
  /** Of the partition table in its flash, where that was read and is valid. */
  readonly partitions?: readonly Partition[];
}

export interface SessionOptions {
  /** To change to after connecting; lower ones are tried where the line cannot. Default: the port's rate stays. */
  baudRate?: number;
  /** The chip's stub; undefined: the ROM has to do. */
  stub?(chipName: string): Promise<Stub | undefined>;
  onNote?(text: string): void;
}

export class Session {
  readonly loader: Loader;
  private readonly options: SessionOptions;
  private readonly rates: number[];
  private flashSize = 0;
  private wantsStub = false;
  private stubFailed = false;

  constructor(loader: Loader, options: SessionOptions) {
    this.loader = loader;
    this.options = options;
    const first = loader.exchange.port.baudRate;
    const wanted = options.baudRate ?? first;
    const between = LOWER_RATES.filter((rate) => rate < wanted && rate > first);
    this.rates = wanted === first ? [first] : [wanted, ...between, first];
  }

  /**
   * Connects, makes the line fast, finds out who it is and makes the flash ready, the stub where `stubPays` says so.
   *
   * @throws what Loader.connect throws
   */
  async open(stubPays: (loader: Loader) => boolean = () => false): Promise<Board> {
    const { loader } = this;
    await loader.connect();
    // Some chips' crystal is told by the rate that the ROM has measured: theirs is the first one until then.
    if (loader.chip.rom.uartClock === undefined) await this.speedUp();
    const identity = await readIdentity(loader);
    await loader.attachFlash();
    const flash = await readFlashChip(loader);
    this.flashSize = flash.size;
    await loader.setFlashSize(flash.size);
    if (this.rates.length > 1 && !loader.knows(Op.CHANGE_BAUDRATE)) await this.useStub();
    await this.speedUp();
    if (stubPays(loader)) await this.useStub();
    return { identity, flash, flashSize: flash.size };
  }

  /** True when the stub runs now: it was there, or could be loaded. */
  async useStub(): Promise<boolean> {
    const { loader, options } = this;
    if (loader.isStub) return true;
    const stub = this.stubFailed ? undefined : await options.stub?.(loader.chip.name);
    if (!stub) return false;
    this.wantsStub = true;
    try {
      await startStub(loader, stub);
      await this.prepareFlash();
      await this.speedUp();
    } catch (error) {
      if (!isTrouble(error) && codeOf(error) !== "stub-failed") throw error;
      options.onNote?.(`${(error as Error).message}; going on without the stub`);
      this.wantsStub = false;
      this.stubFailed = true;
      await this.reopen();
    }
    return loader.isStub;
  }

  /** After trouble on the line: the bootloader answers again as it did, after a reset if need be. @throws what connecting throws */
  async recover(): Promise<void> {
    const { loader } = this;
    try {
      await loader.resync();
      if (loader.isStub || !this.wantsStub) return await this.prepareFlash();
    } catch (error) {
      if (!isTrouble(error)) throw error;
    }
    await this.reopen();
  }

  /** Goes on at the next lower rate; false when there is none. @throws what connecting throws */
  async slower(): Promise<boolean> {
    const { port } = this.loader.exchange;
    if (!port.hasBaudRate || this.rates.length === 1) return false;
    const [failed] = this.rates.splice(0, 1);
    this.options.onNote?.(`${failed} baud does not work on this line; going on at ${this.rates[0]}`);
    await this.reopen();
    return true;
  }

  private async speedUp(): Promise<void> {
    const { loader } = this;
    const { port } = loader.exchange;
    for (;;) {
      const rate = this.rates[0]!;
      if (!port.hasBaudRate || rate === port.baudRate || !loader.knows(Op.CHANGE_BAUDRATE)) return;
      try {
        return await loader.changeBaudRate(rate);
      } catch (error) {
        if (!isTrouble(error)) throw error;
        await this.slower();
      }
    }
  }

  /** As after `open`, from a reset on. */
  private async reopen(): Promise<void> {
    const { loader } = this;
    await loader.connect();
    await this.prepareFlash();
    if (this.wantsStub) await this.useStub();
    else await this.speedUp();
  }

  private async prepareFlash(): Promise<void> {
    await this.loader.attachFlash();
    if (this.flashSize > 0) await this.loader.setFlashSize(this.flashSize);
  }
}

/** Errors of a line that loses or changes bytes; another try may help. */
export function isTrouble(error: unknown): boolean {
  return ["no-answer", "command-refused", "malformed-command", "verify-failed"].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
