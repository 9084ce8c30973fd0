// The client of the serial bootloader: gets its attention, finds out which chip it is, and speaks its commands.

import type { Chip } from "../chips/chip.js";
import type { SerialPort } from "../serial/port.js";
import {
  blockRequest,
  decodeSecurityInfo,
  encodeBegin,
  encodeWords,
  Op,
  opName,
  Reason,
  SECURITY_INFO_LENGTH,
  syncData,
  type Begin,
} from "./command.js";
import { FlasherError } from "./error.js";
import { DEFAULT_TIMEOUT_MS, Exchange, RefusedError, type RequestOptions, type Result } from "./exchange.js";
import { downloadResets, hardReset, runReset, type ResetStrategy } from "./reset.js";

const CONNECT_ATTEMPTS = 7;
const SYNCS_PER_ATTEMPT = 5;
const SYNC_TIMEOUT_MS = 100;
const SYNC_ANSWERS = 8;
const BLOCK_ATTEMPTS = 3;
/** Time limits that grow with the size (esptool's): erasing and writing, and computing an MD5. */
const WRITE_MS_PER_MB = 40_000;
const MD5_MS_PER_MB = 8_000;
const ERASE_CHIP_TIMEOUT_MS = 120_000;
const BAUD_SETTLE_MS = 50;
const MAGIC_ADDRESS = 0x40001000;
const STUB_BLOCK_SIZE = 0x4000; // bytes

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
  private found: Chip | undefined;
  private stub = false;

  constructor(options: LoaderOptions) {
    this.exchange = new Exchange(options.port, options.signal);
    this.chips = options.chips;
    this.resets = options.resets ?? downloadResets(options.port);
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
   * Brings the board into download mode and detects the chip.
   *
   * @throws FlasherError `no-answer` when nothing came at all, `not-a-bootloader` when something else came,
   * `chip-unsupported`; what the port throws
   */
  async connect(): Promise<void> {
    const { port } = this.exchange;
    const { resets } = this;
    let heard = "";
    for (let attempt = 0; attempt < CONNECT_ATTEMPTS; attempt += 1) {
      this.exchange.forget();
      await runReset(port, resets[attempt % resets.length]!, (ms) => this.exchange.sleep(ms));
      for (let i = 0; i < SYNCS_PER_ATTEMPT; i += 1) {
        if (await this.sync()) {
          this.found = await this.detect();
          return;
        }
      }
      heard += this.exchange.strayText;
    }
    throw heard ? notABootloader(port, heard) : noAnswer(port);
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

  /** Both ends change; the first command at the new rate shows whether the line can. @throws FlasherError `no-answer` */
  async changeBaudRate(baud: number): Promise<void> {
    const { port } = this.exchange;
    await this.command(Op.CHANGE_BAUDRATE, encodeWords(baud, this.stub ? port.baudRate : 0));
    await port.setBaudRate(baud);
    await this.exchange.sleep(BAUD_SETTLE_MS);
    this.exchange.forget(); // garbage of the change
    await this.readRegister(MAGIC_ADDRESS);
  }

  /** MD5 of a range of flash, 32 lower-case hex digits. */
  async md5(offset: number, size: number): Promise<string> {
    const dataLength = this.stub ? 16 : 32;
    const timeoutMs = perMegabyte(MD5_MS_PER_MB, size);
    const { data } = await this.command(Op.SPI_FLASH_MD5, encodeWords(offset, size, 0, 0), {
      dataLength,
      timeoutMs,
    });
    if (!this.stub) return String.fromCharCode(...data).toLowerCase();
    return [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
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
    await this.begin(Op.FLASH_BEGIN, { size, blocks, blockSize: this.blockSize, offset });
  }

  /**
   * One block of a write, at most three tries. `writes`: bytes of flash that it may make the chip write.
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
        if (attempt === BLOCK_ATTEMPTS || !isWorthRetrying(error)) throw error;
      }
    }
  }

  /** Erases the whole flash of `size` bytes. */
  async eraseFlash(size: number): Promise<void> {
    if (this.stub) await this.command(Op.ERASE_FLASH, undefined, { timeoutMs: ERASE_CHIP_TIMEOUT_MS });
    else await this.beginRaw(0, size, 0);
  }

  /** Leaves download mode: by the reset line where there is one, else by asking. */
  async runApp(): Promise<void> {
    const { port } = this.exchange;
    if (port.hasLines) return runReset(port, hardReset, (ms) => this.exchange.sleep(ms));
    await this.beginRaw(0, 0);
    await this.command(Op.FLASH_END, encodeWords(0));
  }

  private async begin(op: number, begin: Begin): Promise<void> {
    const extended = this.stub || this.chip.rom.extendedBegin;
    const timeoutMs = this.stub ? DEFAULT_TIMEOUT_MS : perMegabyte(WRITE_MS_PER_MB, begin.size);
    await this.command(op, encodeBegin(extended ? { ...begin, encrypted: false } : begin), { timeoutMs });
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
      if (error instanceof FlasherError) return false; // silence or a refusal: try again
      throw error;
    }
  }

  private async detect(): Promise<Chip> {
    const id = await this.securityInfoId();
    if (id !== undefined) {
      return this.pick((chip) => chip.rom.securityInfoId === id, `chip id ${id}`);
    }
    const magic = await this.readRegister(MAGIC_ADDRESS);
    const isIt = (chip: Chip) => chip.rom.securityInfoId === undefined && chip.rom.magic.includes(magic);
    return this.pick(isIt, `chip magic 0x${magic.toString(16).padStart(8, "0")}`);
  }

  /** Undefined for chips that do not know the command or have no id in the answer (ESP8266, ESP32, ESP32-S2). */
  private async securityInfoId(): Promise<number | undefined> {
    try {
      const options = { dataLength: SECURITY_INFO_LENGTH };
      const { data } = await this.command(Op.GET_SECURITY_INFO, undefined, options);
      return decodeSecurityInfo(data).chipId;
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === "command-refused" || code === "malformed-command" || code === "no-answer")
        return undefined;
      throw error;
    }
  }

  private pick(isIt: (chip: Chip) => boolean, words: string): Chip {
    const chip = this.chips.find(isIt);
    if (chip) return chip;
    const names = this.chips.map(({ name }) => name).join(", ");
    const message = `${this.exchange.port.name} is a chip that is not supported yet (${words})`;
    throw new FlasherError("chip-unsupported", message, `Supported by this version: ${names}.`);
  }
}

function perMegabyte(msPerMegabyte: number, bytes: number): number {
  return Math.max(DEFAULT_TIMEOUT_MS, Math.ceil((msPerMegabyte * bytes) / 1e6));
}

/** A bad line may be better the next time; a block out of turn or a bad flash will not. */
function isWorthRetrying(error: unknown): boolean {
  if (error instanceof RefusedError) {
    return (
      error.reason === Reason.CHECKSUM || error.reason === Reason.INVALID_MESSAGE || error.reason === 0xc1
    );
  }
  return (error as { code?: string }).code === "no-answer";
}

function noAnswer(port: SerialPort): FlasherError {
  return new FlasherError(
    "no-answer",
    `no board answers at ${port.name} (${port.baudRate} baud)`,
    howToDownload(port),
  );
}

function notABootloader(port: SerialPort, heard: string): FlasherError {
  const said = heard
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(-120);
  const message = `${port.name} answers, but not as a bootloader: ${JSON.stringify(said)}`;
  return new FlasherError("not-a-bootloader", message, howToDownload(port));
}

function howToDownload(port: SerialPort): string {
  if (port.hasLines)
    return "Hold BOOT, press and release RESET, let BOOT go, then run the same command again.";
  return "This port cannot reset the board: put it into download mode by hand, or (virtual board) use rfc2217://.";
}
