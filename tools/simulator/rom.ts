// The serial bootloader in a chip's ROM, and the dialect of the flasher stub that clients load into it.

import { createHash } from "node:crypto";
import type { Chip } from "../chips/chip.js";
import {
  decodeBegin,
  decodeRequest,
  decodeWords,
  encodeResponse,
  encodeSecurityInfo,
  encodeStatus,
  encodeStubStatus,
  MAX_BLOCK,
  MAX_PACKET,
  Op,
  opName,
  Reason,
  StubReason,
  syncData,
  type Request,
} from "../esptool/command.js";
import { encodeSlip, SlipReader } from "../esptool/slip.js";
import { Download, Refusal } from "./download.js";
import { SECTOR_SIZE, type NorFlash } from "./flash.js";
import { FlashReader } from "./flash-reader.js";
import { chipEraseMs, eraseMs, md5Ms } from "./flash-timing.js";
import { RamDownload } from "./ram-download.js";
import { Registers } from "./registers.js";
import { goodBlock, reasonOf, stubReasonOf, unknown } from "./rom-refusals.js";
import { StubDownload } from "./stub-download.js";

const SYNC_ANSWERS = 8;
const ROM_SYNC_VALUE = 0x20120707; // anything but 0, which means a stub
const READ_SLOW_SIZE = 64; // bytes of every READ_FLASH_SLOW answer
const MD5_CHUNK = 64 * 1024; // bytes
const MAX_BAUD_RATE = 5_000_000;

/** Assumed: how long an MD5 takes in the ROM and, at the CPU's full speed, in the stub. */
export const ROM_MD5_MS_PER_MB = 400;
const STUB_MD5_MS_PER_MB = 150;

/** Commands that only a stub knows. */
const STUB_OPS: readonly number[] = [Op.ERASE_FLASH, Op.ERASE_REGION, Op.READ_FLASH, Op.RUN_USER_CODE];

export interface RomOptions {
  chip: Chip;
  mac: Uint8Array;
  flash: NorFlash;
  /** To the UART. */
  send(bytes: Uint8Array): void;
  /** The line's rate as the ROM has measured it. */
  baudRate(): number;
  /** After the answer to CHANGE_BAUDRATE has been sent. */
  setBaudRate(baud: number): void;
  /** The bootloader is at work and hears nothing for so long: until then nothing is answered. */
  charge?(ms: number): void;
  /** When it has done what it was charged with, ms of any clock. */
  now?(): number;
  /** The client is done: start the app. Nothing is answered after this. */
  onRun(): void;
}

interface Answer {
  value?: number;
  data?: Uint8Array;
  /** Nothing is sent. */
  silent?: boolean;
  /** Done once the answer is on its way. */
  then?: () => void;
}

/**
 * One stay in download mode. All work is done inside `receive`; a PowerCut of the flash comes out of it, and the loader is
 * dead then.
 *
 * Code that is loaded into RAM and started is not executed: it is taken for Espressif's flasher stub, says "OHAI", and
 * from then on the loader speaks as the stub does (2 status bytes, raw MD5, 16 KB blocks, erase and read commands).
 */
export class RomLoader {
  private readonly options: RomOptions;
  private readonly slip: SlipReader;
  private readonly registers: Registers;
  private stub = false;
  private attached = false;
  private left = false;
  private download: Download | undefined;
  private stubDownload: StubDownload | undefined;
  private readonly ram: RamDownload;
  private reader: FlashReader | undefined;

  constructor(options: RomOptions) {
    this.options = options;
    this.registers = new Registers(options);
    this.ram = new RamDownload(options.chip.rom.ram);
    this.slip = new SlipReader(MAX_PACKET, { onPacket: (packet) => this.packet(packet) });
  }

  /** A stub runs: it reads on while it works. */
  get isStub(): boolean {
    return this.stub;
  }

  /** Bytes from the UART. @throws PowerCut of the flash */
  receive(bytes: Uint8Array): void {
    this.slip.push(bytes);
  }

  private packet(packet: Uint8Array): void {
    if (this.left) return;
    if (this.reader && packet.length === 4) return this.acknowledged(packet);
    this.reader = undefined; // another command ends a read
    if (packet[0] !== 0 || packet.length < 2) return; // noise
    const op = packet[1]!;
    try {
      const answer = this.execute(decodeRequest(packet));
      this.answer(op, answer);
    } catch (error) {
      this.answer(op, {}, this.stub ? stubReasonOf(error) : reasonOf(error));
    }
  }

  private answer(op: number, answer: Answer, reason?: number): void {
    if (answer.silent) return answer.then?.();
    const { statusLength } = this.options.chip.rom;
    const status = this.stub ? encodeStubStatus(reason) : encodeStatus(statusLength, reason);
    const body = new Uint8Array([...(answer.data ?? []), ...status]);
    const frame = encodeSlip(encodeResponse({ op, value: answer.value ?? 0, body }));
    const times = op === Op.SYNC && reason === undefined ? SYNC_ANSWERS : 1;
    for (let i = 0; i < times; i += 1) this.options.send(frame);
    answer.then?.();
  }

  private execute(request: Request): Answer {
    const { op, data } = request;
    if (!this.knows(op)) throw unknown(op);
    switch (op) {
      case Op.SYNC:
        return this.sync(data);
      case Op.READ_REG:
        return { value: this.registers.read(decodeWords(data, 1)[0]!) };
      case Op.WRITE_REG:
        return this.writeRegisters(data);
      case Op.GET_SECURITY_INFO:
        return this.securityInfo();
      case Op.SPI_ATTACH:
        this.attached = true;
        return {};
      case Op.SPI_SET_PARAMS:
        decodeWords(data, 6); // what the flash chip is like: the ROM needs it, this one knows
        return {};
      case Op.CHANGE_BAUDRATE:
        return this.changeBaudRate(data);
      case Op.FLASH_BEGIN:
      case Op.FLASH_DEFL_BEGIN:
        return this.flashBegin(data, op === Op.FLASH_DEFL_BEGIN);
      case Op.FLASH_DATA:
      case Op.FLASH_DEFL_DATA:
        return this.flashData(request);
      case Op.FLASH_END:
      case Op.FLASH_DEFL_END:
        return this.flashEnd(data);
      case Op.SPI_FLASH_MD5:
        return this.md5(data);
      case Op.READ_FLASH_SLOW:
        return this.readSlow(data);
      case Op.MEM_BEGIN:
        this.ram.begin(decodeBegin(data));
        return {};
      case Op.MEM_DATA:
        this.ram.block(goodBlock(request));
        return {};
      case Op.MEM_END:
        return this.memEnd(data);
      case Op.ERASE_FLASH:
        return this.eraseAll();
      case Op.ERASE_REGION: {
        const [offset, size] = decodeWords(data, 2) as [number, number];
        return this.erase(offset, size);
      }
      case Op.READ_FLASH:
        return this.readFlash(data);
      case Op.RUN_USER_CODE:
        return { silent: true, then: () => this.leave() };
      default:
        throw unknown(op);
    }
  }

  private knows(op: number): boolean {
    if (STUB_OPS.includes(op)) return this.stub;
    const { commands } = this.options.chip.rom;
    // A stub brings its own commands; what the chip is, it has to ask the ROM.
    if (this.stub && op !== Op.GET_SECURITY_INFO) return Object.values(Op).includes(op as never);
    return commands.includes(opName(op));
  }

  private sync(data: Uint8Array): Answer {
    const expected = syncData();
    if (data.length !== expected.length || data.some((byte, index) => byte !== expected[index])) {
      throw new Refusal(Reason.INVALID_MESSAGE, "no SYNC pattern");
    }
    return { value: this.stub ? 0 : ROM_SYNC_VALUE };
  }

  /** Several writes may come in one command; their delays are not waited for. */
  private writeRegisters(data: Uint8Array): Answer {
    if (data.length === 0 || data.length % 16 !== 0) throw new Refusal(Reason.INVALID_MESSAGE, "WRITE_REG");
    for (let at = 0; at < data.length; at += 16) {
      const [address, value, mask] = decodeWords(data.subarray(at, at + 16), 4) as [
        number,
        number,
        number,
        number,
      ];
      this.registers.write(address, value, mask);
    }
    return {};
  }

  private securityInfo(): Answer {
    const chipId = this.options.chip.rom.securityInfoId!;
    return {
      data: encodeSecurityInfo({
        ...{ flags: 0, flashCryptCount: 0, keyPurposes: new Uint8Array(7) },
        ...{ chipId, apiVersion: 3 },
      }),
    };
  }

  private changeBaudRate(data: Uint8Array): Answer {
    const [baud] = decodeWords(data, 2) as [number, number];
    if (baud < 300 || baud > MAX_BAUD_RATE) throw new Refusal(Reason.INVALID_PARAMETER, `${baud} baud`);
    return { then: () => this.options.setBaudRate(baud) };
  }

  private flashBegin(data: Uint8Array, deflated: boolean): Answer {
    this.needFlash();
    const begin = decodeBegin(data);
    this.download = undefined;
    this.stubDownload = undefined;
    const { flash, chip } = this.options;
    if (this.stub) {
      if (begin.blockSize > MAX_BLOCK)
        throw new Refusal(StubReason.BLOCK_SIZE, `blocks of ${begin.blockSize}`);
      const options = { flash, begin, deflated, chip: chip.flash, charge: this.charge, now: this.now };
      this.stubDownload = new StubDownload(options);
    } else {
      this.download = new Download({ flash, begin, deflated, chip, charge: this.charge });
    }
    return {};
  }

  /** A ROM answers when a block is written, a stub when it has come. */
  private flashData(request: Request): Answer {
    const { stubDownload, download } = this;
    if (stubDownload !== undefined) {
      stubDownload.check();
      const { payload } = goodBlock(request);
      return { then: () => stubDownload.data(payload) };
    }
    const block = goodBlock(request);
    if (download === undefined)
      throw new Refusal(this.stub ? StubReason.NOT_BEGUN : Reason.FAILED, "no write has begun");
    download.block(block);
    return {};
  }

  /** A ROM leaves download mode, whether told to reboot or to run the app; a stub stays when told to. */
  private flashEnd(data: Uint8Array): Answer {
    const [stay] = decodeWords(data, 1);
    this.download = undefined;
    if (!this.stub) return { then: () => this.leave() };
    if (this.stubDownload === undefined) throw new Refusal(StubReason.NOT_BEGUN, "no write has begun");
    this.stubDownload.end();
    this.stubDownload = undefined;
    return stay !== 0 ? {} : { then: () => this.leave() };
  }

  private md5(data: Uint8Array): Answer {
    this.needFlash();
    const [address, size] = decodeWords(data, 4) as [number, number, number, number];
    const { flash } = this.options;
    if (address + size > flash.size) throw new Refusal(Reason.FLASH_READ_LENGTH, "beyond the flash");
    this.charge(md5Ms(this.stub ? STUB_MD5_MS_PER_MB : ROM_MD5_MS_PER_MB, size));
    const hash = createHash("md5");
    for (let at = 0; at < size; at += MD5_CHUNK) {
      hash.update(flash.read(address + at, Math.min(MD5_CHUNK, size - at)));
    }
    const digest = hash.digest();
    return { data: this.stub ? new Uint8Array(digest) : Buffer.from(digest.toString("hex"), "latin1") };
  }

  private readSlow(data: Uint8Array): Answer {
    this.needFlash();
    const [offset, size] = decodeWords(data, 2) as [number, number];
    if (size > READ_SLOW_SIZE) throw new Refusal(Reason.FLASH_READ_LENGTH, `${size} bytes`);
    if (offset + size > this.options.flash.size) throw new Refusal(Reason.FLASH_READ, "beyond the flash");
    const answer = new Uint8Array(READ_SLOW_SIZE);
    answer.set(this.options.flash.read(offset, size));
    return { data: answer };
  }

  private memEnd(data: Uint8Array): Answer {
    const [stay, entry] = decodeWords(data, 2) as [number, number];
    if (stay !== 0 || entry === 0) return {};
    this.ram.checkEntry(entry);
    return {
      then: () => {
        this.stub = true;
        this.attached = true; // a stub does that itself when it starts
        this.options.send(encodeSlip(Buffer.from("OHAI")));
      },
    };
  }

  private erase(offset: number, size: number): Answer {
    this.needFlash();
    const { flash, chip } = this.options;
    if (offset % SECTOR_SIZE !== 0) throw new Refusal(StubReason.ERASE_OFFSET, `erase at ${offset}`);
    if (size % SECTOR_SIZE !== 0) throw new Refusal(StubReason.ERASE_SIZE, `erase of ${size}`);
    if (offset + size > flash.size) throw new Refusal(StubReason.FLASH, "beyond the flash");
    this.charge(eraseMs(chip.flash, offset, offset + size));
    for (let at = offset; at < offset + size; at += SECTOR_SIZE) flash.erase(at);
    return {};
  }

  private eraseAll(): Answer {
    this.needFlash();
    const { flash, chip } = this.options;
    this.charge(chipEraseMs(chip.flash, flash.size));
    for (let at = 0; at < flash.size; at += SECTOR_SIZE) flash.erase(at);
    return {};
  }

  private readFlash(data: Uint8Array): Answer {
    this.needFlash();
    const reader = new FlashReader(this.options.flash, data, (packet) =>
      this.options.send(encodeSlip(packet)),
    );
    return {
      then: () => {
        this.reader = reader;
        reader.advance(0);
      },
    };
  }

  private acknowledged(packet: Uint8Array): void {
    this.reader!.advance(decodeWords(packet, 1)[0]!);
    if (this.reader!.done) this.reader = undefined;
  }

  /** Flash answers nothing until SPI_ATTACH has configured its pins. */
  private needFlash(): void {
    const hasAttach = this.options.chip.rom.commands.includes("SPI_ATTACH");
    if (hasAttach && !this.attached) throw new Refusal(Reason.FAILED, "SPI_ATTACH comes first");
    this.stubDownload?.settle();
  }

  private readonly now = (): number => this.options.now?.() ?? 0;

  private readonly charge = (ms: number): void => this.options.charge?.(ms);

  private leave(): void {
    this.left = true;
    this.options.onRun();
  }
}
