// A UART without a line: what the board says goes to its `onUart`, and nobody pulls its control lines.

import type { Uart } from "../../tools/simulator/uart.js";

export class Wire implements Uart {
  readonly baudRate: number = 115200;
  readonly connected = false;
  private listener: (bytes: Uint8Array) => void = () => undefined;

  toHost(): void {
    // the board tells its options' onUart
  }

  onFromHost(listener: (bytes: Uint8Array) => void): void {
    this.listener = listener;
  }

  send(bytes: Uint8Array): void {
    this.listener(bytes);
  }

  onLines(): void {
    // nobody pulls them
  }

  onBaudRate(): void {
    // as above
  }

  onClient(): void {
    // as above
  }

  setBoardRate(): void {
    // as above
  }
}
