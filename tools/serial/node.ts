// A port of this computer, over the serialport package (`/dev/ttyUSB0`, `COM3`, a pty).

import { SerialPort as NodeSerialPort } from "serialport";
import { noModemLines, openError, portClosed, portLost } from "./error.js";
import { Inbox } from "./inbox.js";
import { usbIds } from "./list.js";
import type { ControlLines, SerialPort } from "./port.js";

class LocalPort implements SerialPort {
  readonly name: string;
  readonly hasBaudRate = true;
  hasLines = true;
  usb?: { vendorId: number; productId: number };
  private readonly device: NodeSerialPort;
  private readonly inbox: Inbox;
  private lines = { dtr: true, rts: true }; // as the kernel leaves them after open
  private closed = false;
  /** The package lets what it is asked of a closed port wait for the port to open again: nothing may wait here. */
  private readonly waiting = new Set<() => void>();

  constructor(name: string, device: NodeSerialPort) {
    this.name = name;
    this.device = device;
    this.inbox = new Inbox((bytes) => this.lose(`nobody read ${bytes} bytes`));
    device.on("data", (bytes: Buffer) => this.inbox.push(new Uint8Array(bytes)));
    device.on("error", (error: Error) => this.lose(error.message));
    device.on("close", () => this.lose("the device was unplugged"));
  }

  get baudRate(): number {
    return this.device.baudRate;
  }

  /** A pty answers ENOTTY when asked for its lines. */
  async findLines(): Promise<void> {
    this.hasLines = await new Promise((resolve) => this.device.get((error) => resolve(!error)));
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.check();
    await this.done((callback) => {
      this.device.write(bytes, (error) => (error ? callback(error) : this.device.drain(callback)));
    });
  }

  listen(onBytes: ((bytes: Uint8Array) => void) | undefined): void {
    this.check();
    this.inbox.listen(onBytes);
  }

  onLost(callback: (error: Error) => void): void {
    this.inbox.onLost(callback);
  }

  async setLines(lines: ControlLines): Promise<void> {
    this.check();
    if (!this.hasLines) throw noModemLines(this.name);
    // The package asserts what it is not told: always tell both.
    this.lines = { dtr: lines.dtr ?? this.lines.dtr, rts: lines.rts ?? this.lines.rts };
    await this.done((callback) => this.device.set(this.lines, callback));
  }

  async setBaudRate(baud: number): Promise<void> {
    this.check();
    await this.done((callback) => this.device.update({ baudRate: baud }, callback));
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    const closing = this.device.isOpen
      ? new Promise<void>((resolve) => this.device.close(() => resolve()))
      : undefined;
    this.giveUp();
    await closing;
  }

  private giveUp(): void {
    for (const reject of this.waiting) reject();
    this.waiting.clear();
  }

  private done(start: (callback: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error?: Error) =>
        reject(
          this.closed
            ? portClosed(this.name)
            : (this.inbox.lost ?? portLost(this.name, error?.message ?? "closed", error)),
        );
      const giveUp = () => failed();
      this.waiting.add(giveUp);
      start((error) => {
        this.waiting.delete(giveUp);
        if (!error) resolve();
        else failed(error);
      });
    });
  }

  private check(): void {
    if (this.closed) throw portClosed(this.name);
    if (this.inbox.lost) throw this.inbox.lost;
  }

  private lose(why: string): void {
    if (this.closed) return;
    this.inbox.lose(portLost(this.name, why));
    if (this.device.isOpen) this.device.close(() => undefined);
    this.giveUp();
  }
}

/** @throws PortError `port-not-found`, `port-busy`, `port-permission` */
export async function openLocal(name: string, options: { baudRate: number }): Promise<SerialPort> {
  const device = new NodeSerialPort({
    path: name,
    baudRate: options.baudRate,
    autoOpen: false,
    hupcl: false,
  });
  await new Promise<void>((resolve, reject) => {
    device.open((error) => (error ? reject(openError(name, error)) : resolve()));
  });
  const port = new LocalPort(name, device);
  await port.findLines();
  const usb = await usbIds(name);
  if (usb) port.usb = usb;
  return port;
}
