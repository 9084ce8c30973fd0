import test from "ava";
import virtual from "../../firmware/device/virtual/crypto.js";
import { crypto } from "../../host/crypto.js";
import { createBus } from "../../tools/simulator/bus.js";
import type { Peripherals } from "../../tools/simulator/bus.js";
import { ChipCrypto } from "../../tools/simulator/crypto.js";
import { cryptoContract } from "../contract/crypto.js";

cryptoContract(test, "server", () => crypto);

/** The device's own module, over the board's table of operations. */
cryptoContract(test, "virtual board", () => {
  const bus = createBus({ crypto: new ChipCrypto((length) => crypto.random(length)) } as Peripherals);
  Object.assign(globalThis, { bus: (name: string, ...args: never[]) => bus[name]!(args) });
  return virtual;
});
