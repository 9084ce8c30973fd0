// `device/gpio` on the SDK's ECMA-419 Digital (clause 9): a pin is opened when it is first used, and again when it is used the
// other way. Inputs are pulled up: buttons pull them down.

import type { Gpio } from "../types.js";

interface SdkPin {
  read(): number;
  write(value: number): void;
  close(): void;
}

export interface SdkDigital {
  new (options: { pin: number; mode: number }): SdkPin;
  readonly InputPullUp: number;
  readonly Output: number;
}

export class Pins implements Gpio {
  private readonly digital: SdkDigital;
  private readonly open = new Map<number, { pin: SdkPin; mode: number }>();

  constructor(digital: SdkDigital) {
    this.digital = digital;
  }

  /** @throws what the SDK throws for a number that is no pin, or is taken */
  write(pin: number, high: boolean): void {
    this.opened(pin, this.digital.Output).write(high ? 1 : 0);
  }

  read(pin: number): boolean {
    return this.opened(pin, this.digital.InputPullUp).read() !== 0;
  }

  private opened(number: number, mode: number): SdkPin {
    const { digital } = this;
    const known = this.open.get(number);
    if (known?.mode === mode) return known.pin;
    known?.pin.close(); // the SDK opens no pin twice
    this.open.delete(number);
    const pin = new digital({ pin: number, mode });
    this.open.set(number, { pin, mode });
    return pin;
  }
}
