// What happens to the store's flash, operation by operation; and a power cut in one of them.

import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { NorFlash, PowerCut } from "../../tools/simulator/flash.js";
import { INTENTION, LEDGER } from "../../firmware/store/keys.js";
import { MAX_KEY, LogStore } from "../../firmware/store/log-store.js";
import { flashRegion } from "../firmware/store/flash-region.js";

const { offset: START, size: SIZE } = esp32c3.layout.broome;
const SEED = 1;
const TIMED = [INTENTION, LEDGER]; // keys whose values hold uptimes

export interface WatchOptions {
  cutAt: number | undefined;
  all: boolean;
}

export class StoreWatch {
  /** Operations in order: E an erase, H and V the header and the value of a record, with its key. */
  readonly trace: string[] = [];
  /** The store's keys before the first operation and after each; without `all` none. */
  readonly states: string[][] = [];
  /** Those before the operation that was cut; undefined: none was. */
  beforeCut: string[] | undefined;
  private readonly flash: NorFlash;
  private readonly cutAt: number | undefined;
  private readonly all: boolean;
  private readonly onCut: () => void;
  private key = 0; // of the record that is being written
  private dead = false;

  /** From now on. `cutAt`: the power goes in the n-th operation; `onCut` is told. `all`: every state is kept. */
  constructor(flash: NorFlash, { cutAt, all }: WatchOptions, onCut: () => void) {
    this.flash = flash;
    this.cutAt = cutAt;
    this.onCut = onCut;
    this.all = all;
    if (all) this.states.push(this.state());
    const [erase, program] = [flash.erase.bind(flash), flash.program.bind(flash)];
    flash.erase = (offset) =>
      this.around(
        offset,
        () => "E",
        () => erase(offset),
      );
    flash.program = (offset, bytes) =>
      this.around(
        offset,
        () => this.nameOf(bytes),
        () => program(offset, bytes),
      );
  }

  get store(): LogStore {
    return new LogStore({ flash: flashRegion(this.flash, START, SIZE) });
  }

  /** The store as it is now, whatever is written later. */
  copy(): LogStore {
    const copy = NorFlash.open({ size: SIZE, content: this.flash.read(START, SIZE) });
    return new LogStore({ flash: flashRegion(copy) });
  }

  /** Every value by key; uptimes, which depend on when a note is taken, as "#". */
  state(): string[] {
    const { store } = this;
    return Array.from({ length: MAX_KEY + 1 }, (_, key) => {
      const value = Buffer.from((key > 0 && store.get(key)) || []);
      return TIMED.includes(key) ? value.toString("latin1").replace(/\d+/g, "#") : value.toString("hex");
    });
  }

  /** The power is back. */
  revive(): void {
    this.dead = false;
    this.flash.cutAfter(undefined);
  }

  /** Erases of each sector of the store. */
  get erases(): number[] {
    const { eraseCounts, sectorSize } = this.flash;
    return [...eraseCounts.subarray(START / sectorSize, (START + SIZE) / sectorSize)];
  }

  private around(offset: number, what: () => string, action: () => void): void {
    if (offset < START || offset >= START + SIZE) return action();
    if (this.dead) throw new PowerCut();
    const number = this.trace.push(what());
    if (number === this.cutAt) {
      this.beforeCut = this.state();
      this.flash.cutAfter(1, SEED + number);
    }
    try {
      action();
    } catch (error) {
      if (error instanceof PowerCut) {
        this.dead = true;
        this.onCut();
      }
      throw error;
    }
    if (this.all) this.states.push(this.state());
  }

  /** A header is 8 bytes and its second one guards it (firmware/store/log-store.ts). */
  private nameOf(bytes: Uint8Array): string {
    const isHeader = bytes.length === 8 && bytes[1] === (0x5a ^ bytes[0]! ^ bytes[2]! ^ bytes[3]!);
    if (isHeader) this.key = bytes[0]!;
    return `${isHeader ? "H" : "V"}${this.key}`;
  }
}
