// The client of the serial bootloader: gets its attention, and speaks its commands as ROM or stub want them.

import type { Chip } from "../chips/chip.js";
import type { SerialPort } from "../serial/port.js";
import {
  blockRequest,
  encodeBegin,
  encodeWords,
  Op,
  opName,
  Reason,
  StubReason,
  syncData,
  type Begin,
} from "./command.js";
import { noAnswer, notABootloader } from "./connect-errors.js";
import { detectChip, MAGIC_ADDRESS } from "./detect.js";
import { esp8266EraseSize } from "./erase-size.js";
import { FlasherError } from "./error.js";
import { DEFAULT_TIMEOUT_MS, Exchange, RefusedError, type RequestOptions, type Result } from "./exchange.js";
import type { Window } from "./frame-stream.js";
import { downloadResets, hardReset, runReset, type ResetStrategy } from "./reset.js";

const CONNECT_ATTEMPTS = 7;
const SYNCS_PER_ATTEMPT = 5;
const SYNC_TIMEOUT_MS = 100;
const SYNC_ANSWERS = 8;
const BLOCK_ATTEMPTS = 3;
/** Time limits that grow with the size (esptool's): erasing and writing, erasing, computing an MD5. */
const WRITE_MS_PER_MB = 40_000;
const ERASE_MS_PER_MB = 30_000;
const MD5_MS_PER_MB = 8_000;
const ERASE_CHIP_TIMEOUT_MS = 120_000;
const BAUD_SETTLE_MS = 20;
const BAUD_PROBES = 3;
const BAUD_PROBE_TIMEOUT_MS = 250;
const STUB_BLOCK_SIZE = 0x4000; // bytes
/** A stub reads one command while it works on another (its `frame_buffer.c`); it drops what comes before it has picked up the first. */
const STUB_WINDOW: Window = { frames: 2, bytes: STUB_BLOCK_SIZE, pickUpMs: 3 };
/** What comes while a ROM is at work waits in the UART, whose FIFO holds 128 bytes. */
const ROM_WINDOW: Window = { frames: 4, bytes: 120 };
const MAX_BATCH = 64; // commands

/** A stretch of flash, in bytes. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

export interface BlocksOptions {
  /** Bytes of flash that a block may make the chip write. */
  writes: number;
  /** Called when so many are taken. */
  onBlock(count: number): void;
}

export interface LoaderOptions {
  port: SerialPort;
  /** Chips that may be found. */
  chips: readonly Chip[];
  signal?: AbortSignal;
  /** How to get into download mode; default: what fits the port. */
  resets?: readonly ResetStrategy[];
}

export class Loader {
  readonly exchange: Exchange;
  private readonly chips: readonly Chip[];
  private readonly resets: readonly ResetStrategy[];
  private readonly firstBaudRate: number;
  private found: Chip | undefined;
  private stub = false;
  private oneByOne = false; // commands, since an answer went missing

  constructor(options: LoaderOptions) {
    this.exchange = new Exchange(options.port, options.signal);
    this.chips = options.chips;
    this.resets = options.resets ?? downloadResets(options.port);
    this.firstBaudRate = options.port.baudRate;
  }

  /** The chip at the other end; `connect` finds it. */
  get chip(): Chip {
    if (!this.found) throw new Error("the loader is not connected");
    return this.found;
  }

  /** True when Espressif's stub answers instead of the ROM: other block size, other form of answers. */
  get isStub(): boolean {
    return this.stub;
  }

  /** Does what answers know this command? */
  knows(op: number): boolean {
    return this.stub || this.chip.rom.commands.includes(opName(op));
  }

  /** Bytes of a write. */
  get blockSize(): number {
    return this.stub ? STUB_BLOCK_SIZE : this.chip.rom.blockSize;
  }

  /**
   * Brings the board into download mode and detects the chip, at the baud rate that the port was opened with.
   *
   * @throws FlasherError `no-answer` when nothing came at all, `not-a-bootloader` when something else came,
   * `chip-unsupported`; what the port throws
   */
  async connect(): Promise<void> {
    const { exchange, resets } = this;
    const { port } = exchange;
    await this.returnToFirstRate();
    let heard = "";
    for (let attempt = 0; attempt < CONNECT_ATTEMPTS; attempt += 1) {
      exchange.forget();
      await runReset(port, resets[attempt % resets.length]!, (ms) => exchange.sleep(ms));
      if (await this.syncs(SYNCS_PER_ATTEMPT)) {
        this.found = await detectChip(this, this.chips);
        return;
      }
      heard += exchange.strayText;
    }
    throw heard ? notABootloader(port, heard) : noAnswer(port);
  }

  /** The port's side of it: the rate that it was opened with. */
  async returnToFirstRate(): Promise<void> {
    const { port } = this.exchange;
    if (port.baudRate !== this.firstBaudRate) await port.setBaudRate(this.firstBaudRate);
  }

  /** After an answer went missing: what still comes for earlier commands is let pass. @throws FlasherError `no-answer` */
  async resync(): Promise<void> {
    if (!(await this.syncs(SYNCS_PER_ATTEMPT))) throw noAnswer(this.exchange.port);
    this.exchange.forget();
  }

  /** Stops listening; the port stays open. */
  close(): void {
    this.exchange.close();
  }

  async command(op: number, data: Uint8Array = new Uint8Array(0), options?: RequestOptions): Promise<Result> {
    return this.exchange.request({ op, data, checksum: 0 }, options);
  }

  async readRegister(address: number): Promise<number> {
    return (await this.command(Op.READ_REG, encodeWords(address))).value;
  }

  async writeRegister(address: number, value: number): Promise<void> {
    await this.command(Op.WRITE_REG, encodeWords(address, value, 0xffffffff, 0));
  }

  /** Connects the flash's pins. A ROM that has no command for it does so when a write begins. */
  async attachFlash(): Promise<void> {
    if (!this.knows(Op.SPI_ATTACH)) return this.beginRaw(0, 0);
    const words = this.stub ? 1 : this.chip.rom.attachWords;
    await this.command(Op.SPI_ATTACH, encodeWords(...new Array<number>(words).fill(0)));
  }

  /** `size` in bytes; block, sector, page size and status mask are those of every SPI flash. */
  async setFlashSize(size: number): Promise<void> {
    if (!this.knows(Op.SPI_SET_PARAMS)) return;
    await this.command(Op.SPI_SET_PARAMS, encodeWords(0, size, 0x10000, 0x1000, 0x100, 0xffff));
  }

  /** Both ends change; the first commands at the new rate show whether the line can. @throws FlasherError `no-answer` */
  async changeBaudRate(baud: number): Promise<void> {
    const { port } = this.exchange;
    await this.command(Op.CHANGE_BAUDRATE, encodeWords(baud, this.stub ? port.baudRate : 0));
    await port.setBaudRate(baud);
    await this.exchange.sleep(BAUD_SETTLE_MS);
    this.exchange.forget(); // garbage of the change
    for (let probe = 1; ; probe += 1) {
      try {
        await this.command(Op.READ_REG, encodeWords(MAGIC_ADDRESS), { timeoutMs: BAUD_PROBE_TIMEOUT_MS });
        if (probe > 1) await this.resync(); // the answer to one before may only be late, and be taken for the next one's
        return;
      } catch (error) {
        if (probe === BAUD_PROBES || !(error instanceof FlasherError)) throw error;
      }
    }
  }

  /** MD5 of a range of flash, 32 lower-case hex digits. */
  async md5(offset: number, size: number): Promise<string> {
    return (await this.md5All([{ offset, size }]))[0]!;
  }

  /** MD5s of many ranges. `busyMs`: how long the board may still be at work on what it was sent before. */
  async md5All(ranges: readonly Range[], busyMs = 0): Promise<string[]> {
    const digests: string[] = [];
    for (let at = 0; at < ranges.length; at += MAX_BATCH) {
      digests.push(...(await this.md5Batch(ranges.slice(at, at + MAX_BATCH), at === 0 ? busyMs : 0)));
    }
    return digests;
  }

  private async md5Batch(ranges: readonly Range[], busyMs: number): Promise<string[]> {
    const largest = Math.max(...ranges.map(({ size }) => size));
    const options = {
      dataLength: this.stub ? 16 : 32,
      timeoutMs: perMegabyte(MD5_MS_PER_MB, largest) + busyMs,
    };
    const requests = ranges.map(({ offset, size }) => {
      return { op: Op.SPI_FLASH_MD5, data: encodeWords(offset, size, 0, 0), checksum: 0 };
    });
    const results: Result[] = [];
    if (requests.length > 1 && !this.oneByOne) {
      try {
        const window = this.stub ? STUB_WINDOW : ROM_WINDOW;
        results.push(...(await this.exchange.requestAll(requests, { ...options, window })));
      } catch (error) {
        if ((error as { code?: string }).code !== "no-answer") throw error;
        this.oneByOne = true;
        await this.resync();
      }
    }
    for (const request of requests.slice(results.length)) {
      results.push(await this.exchange.request(request, options));
    }
    return results.map(({ data }) => (this.stub ? hexOf(data) : String.fromCharCode(...data).toLowerCase()));
  }

  /** Begins a compressed write of `size` bytes that come as `packed` bytes. The ROM erases now. */
  async beginDeflated(offset: number, size: number, packed: number): Promise<void> {
    const { blockSize } = this;
    const rounded = Math.ceil(size / blockSize) * blockSize; // a stub wants the exact size
    await this.begin(Op.FLASH_DEFL_BEGIN, {
      ...{ size: this.stub ? size : rounded, blocks: Math.ceil(packed / blockSize), blockSize, offset },
    });
  }

  /** Begins a raw write; with no blocks to follow it only erases. */
  async beginRaw(offset: number, size: number, blocks = Math.ceil(size / this.blockSize)): Promise<void> {
    const erased = !this.stub && this.chip.rom.eraseBug ? esp8266EraseSize(offset, size) : size;
    await this.begin(Op.FLASH_BEGIN, { size: erased, blocks, blockSize: this.blockSize, offset });
  }

  /**
   * One block of a write or a RAM download, at most three tries where it arrived damaged. Where no answer came it may have been
   * taken or not: the write must begin again. `writes`: bytes of flash that it may make the chip write.
   *
   * @throws RefusedError, FlasherError `no-answer`
   */
  async block(op: number, sequence: number, payload: Uint8Array, writes: number): Promise<void> {
    const request = blockRequest(op, { sequence, payload });
    const timeoutMs = perMegabyte(WRITE_MS_PER_MB, writes);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.exchange.request(request, { timeoutMs });
        return;
      } catch (error) {
        if (attempt === BLOCK_ATTEMPTS || !arrivedDamaged(error)) throw error;
      }
    }
  }

  /**
   * The blocks of a write, in order. A ROM, which hears nothing while it writes one, is sent the beginning of the next one
   * meanwhile, until that goes wrong once.
   *
   * @throws as `block`
   */
  async blocks(op: number, payloads: readonly Uint8Array[], options: BlocksOptions): Promise<void> {
    const { writes, onBlock } = options;
    if (!this.stub && !this.oneByOne) return this.blocksAhead(op, payloads, options);
    for (const [sequence, payload] of payloads.entries()) {
      await this.block(op, sequence, payload, writes);
      onBlock(sequence + 1);
    }
  }

  private async blocksAhead(
    op: number,
    payloads: readonly Uint8Array[],
    options: BlocksOptions,
  ): Promise<void> {
    const requests = payloads.map((payload, sequence) => blockRequest(op, { sequence, payload }));
    const timeoutMs = perMegabyte(WRITE_MS_PER_MB, options.writes);
    try {
      await this.exchange.requestAll(requests, { window: ROM_WINDOW, timeoutMs, onResult: options.onBlock });
    } catch (error) {
      this.oneByOne = true;
      throw error;
    }
  }

  /** Erases the whole flash of `size` bytes. */
  async eraseFlash(size: number): Promise<void> {
    if (this.stub) await this.command(Op.ERASE_FLASH, undefined, { timeoutMs: ERASE_CHIP_TIMEOUT_MS });
    else await this.beginRaw(0, size, 0);
  }

  /** Erases whole sectors. */
  async eraseRegion({ offset, size }: Range): Promise<void> {
    const timeoutMs = perMegabyte(ERASE_MS_PER_MB, size);
    if (this.stub) await this.command(Op.ERASE_REGION, encodeWords(offset, size), { timeoutMs });
    else await this.beginRaw(offset, size, 0);
  }

  /** Leaves download mode: by the reset line where there is one, else by asking. */
  async runApp(): Promise<void> {
    const { port } = this.exchange;
    if (port.hasLines) return runReset(port, hardReset, (ms) => this.exchange.sleep(ms));
    await this.beginRaw(0, 0);
    await this.command(Op.FLASH_END, encodeWords(0));
  }

  /** The stub that was just started says so; from now on it is spoken to. */
  becomeStub(): void {
    this.stub = true;
  }

  private async begin(op: number, begin: Begin): Promise<void> {
    const extended = this.stub || this.chip.rom.extendedBegin;
    const timeoutMs = this.stub ? DEFAULT_TIMEOUT_MS : perMegabyte(WRITE_MS_PER_MB, begin.size);
    await this.command(op, encodeBegin(extended ? { ...begin, encrypted: false } : begin), { timeoutMs });
  }

  private async syncs(times: number): Promise<boolean> {
    for (let i = 0; i < times; i += 1) if (await this.sync()) return true;
    return false;
  }

  private async sync(): Promise<boolean> {
    try {
      const request = { op: Op.SYNC, data: syncData(), checksum: 0 };
      const { value } = await this.exchange.request(request, { timeoutMs: SYNC_TIMEOUT_MS });
      this.stub = value === 0;
      for (let i = 1; i < SYNC_ANSWERS; i += 1) {
        if (!(await this.exchange.nextResponse(Date.now() + SYNC_TIMEOUT_MS))) break;
      }
      return true;
    } catch (error) {
      if (error instanceof FlasherError || isMalformed(error)) return false; // silence or a refusal: try again
      throw error;
    }
  }
}

/** Milliseconds for `bytes`, never less than any command gets. */
export function writeTimeoutMs(bytes: number): number {
  return perMegabyte(WRITE_MS_PER_MB, bytes);
}

function perMegabyte(msPerMegabyte: number, bytes: number): number {
  return Math.max(DEFAULT_TIMEOUT_MS, Math.ceil((msPerMegabyte * bytes) / 1e6));
}

/** The line may be better the next time; a block out of turn or a bad flash will not. */
function arrivedDamaged(error: unknown): boolean {
  if (!(error instanceof RefusedError)) return false;
  return [Reason.CHECKSUM, Reason.INVALID_MESSAGE, StubReason.CHECKSUM].includes(error.reason as never);
}

function isMalformed(error: unknown): boolean {
  return (error as { code?: string }).code === "malformed-command";
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
