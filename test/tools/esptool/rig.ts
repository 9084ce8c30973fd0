// A board that can only be flashed: real ports, straps and ROM over a NOR flash, and an "app" that prints a line.

import type { ExecutionContext } from "ava";
import type { Chip } from "../../../tools/chips/chip.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { openPorts, type Ports } from "../../../tools/simulator/ports.js";
import { RomLoader } from "../../../tools/simulator/rom.js";
import { Straps } from "../../../tools/simulator/straps.js";

export const MAC = Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55);

export class Rig {
  readonly flash: NorFlash;
  readonly ports: Ports;
  /** "download" or "app", for every start. */
  readonly starts: string[] = [];
  rom: RomLoader | undefined;
  /** Sees every chunk in either direction; may return another one, or nothing at all. */
  toRom: (bytes: Uint8Array) => Uint8Array | undefined = (bytes) => bytes;
  toHost: (bytes: Uint8Array) => Uint8Array | undefined = (bytes) => bytes;
  appSays = "I (20) app: hello\r\n";
  /** Somebody holds the button: every start is in download mode. */
  staysInDownload = false;
  /** A stub has just been started. */
  onStub: () => void = () => undefined;
  private readonly straps: Straps;

  /** Of the board that is plugged in. */
  mac: Uint8Array;
  private readonly chip: Chip;

  private constructor(ports: Ports, size: number, mac: Uint8Array, chip: Chip) {
    this.ports = ports;
    this.mac = mac;
    this.chip = chip;
    this.flash = NorFlash.open({ size });
    this.straps = new Straps({ onHold: () => this.stop(), onRelease: (download) => this.start(download) });
    ports.uart.onLines((lines) => this.straps.set(lines));
    ports.uart.onBaudRate((baud) => baud === 1200 && this.start(true));
    ports.uart.onFromHost((bytes) => {
      const heard = this.toRom(bytes);
      if (heard) this.rom?.receive(heard);
    });
    this.start(false);
  }

  static async open(
    t: ExecutionContext,
    options: { size?: number; ptyHelper?: string; mac?: Uint8Array; chip?: Chip } = {},
  ): Promise<Rig> {
    const ports = await openPorts(options.ptyHelper === undefined ? {} : { ptyHelper: options.ptyHelper });
    const rig = new Rig(ports, options.size ?? 0x400000, options.mac ?? MAC, options.chip ?? esp32c3);
    t.teardown(async () => {
      rig.straps.close();
      await ports.close();
    });
    return rig;
  }

  /** As a reset with the button held or not. */
  start(wanted: boolean): void {
    const download = wanted || this.staysInDownload;
    this.stop();
    this.starts.push(download ? "download" : "app");
    const { uart } = this.ports;
    this.say("ESP-ROM:esp32c3-api1-20210207\r\n");
    if (!download) {
      uart.setBoardRate(115200);
      return this.say(this.appSays);
    }
    this.say("boot:0x5 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n");
    uart.setBoardRate("auto");
    this.rom = new RomLoader({
      ...{ chip: this.chip, mac: this.mac, flash: this.flash },
      send: (bytes) => this.send(bytes),
      baudRate: () => uart.baudRate,
      setBaudRate: (baud) => uart.setBoardRate(baud),
      onRun: () => setImmediate(() => this.start(false)),
    });
  }

  private stop(): void {
    this.rom = undefined;
  }

  private say(text: string): void {
    this.send(new Uint8Array(Buffer.from(text)));
  }

  private send(bytes: Uint8Array): void {
    const greets = Buffer.from(bytes).includes("OHAI");
    if (greets) this.onStub();
    const said = this.toHost(bytes);
    if (said) this.ports.uart.toHost(said);
  }
}
