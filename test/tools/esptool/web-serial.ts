// A Web Serial port over one of ours, as much as npm's esptool-js touches: the browser's flasher, driven from Node.

import { openPort } from "../../../tools/serial/open.js";
import type { SerialPort } from "../../../tools/serial/port.js";

export class WebSerialShim {
  readable: ReadableStream<Uint8Array> | undefined;
  writable: WritableStream<Uint8Array> | undefined;
  private readonly name: string;
  private port: SerialPort | undefined;
  /** Bytes to the board, and from it. */
  sent = 0;
  received = 0;

  constructor(name: string) {
    this.name = name;
  }

  async open({ baudRate }: { baudRate: number }): Promise<void> {
    const port = await openPort(this.name, { baudRate });
    this.port = port;
    this.readable = new ReadableStream({
      start: (controller) => {
        port.listen((bytes) => {
          this.received += bytes.length;
          controller.enqueue(bytes);
        });
        port.onLost((error) => controller.error(error));
      },
      cancel: () => port.listen(undefined),
    });
    this.writable = new WritableStream({
      write: async (bytes) => {
        this.sent += bytes.length;
        await port.write(bytes);
      },
    });
  }

  async close(): Promise<void> {
    this.readable = undefined;
    this.writable = undefined;
    await this.port?.close();
  }

  getInfo(): object {
    return {};
  }

  async setBaudRate(baud: number): Promise<void> {
    await this.port!.setBaudRate(baud);
  }

  async setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void> {
    const { dataTerminalReady: dtr, requestToSend: rts } = signals;
    await this.port!.setLines({ ...(dtr !== undefined && { dtr }), ...(rts !== undefined && { rts }) });
  }
}
