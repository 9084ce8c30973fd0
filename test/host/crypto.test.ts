import test from "ava";
import { spawnSync } from "node:child_process";
import virtual from "../../firmware/device/virtual/crypto.js";
import { crypto } from "../../host/crypto.js";
import { createBus } from "../../tools/simulator/bus.js";
import type { Peripherals } from "../../tools/simulator/bus.js";
import { ChipCrypto } from "../../tools/simulator/crypto.js";
import { cryptoContract } from "../contract/crypto.js";
import { buildDriver, type Driver } from "../firmware/native/driver.js";

cryptoContract(test, "server", () => crypto);

let driver: Driver | undefined;
test.before(async () => {
  driver = await buildDriver("-O2");
});
test.after.always(() => driver?.remove());

function askNative(command: string, ...values: Uint8Array[]): string {
  const line = [command, ...values.map((value) => Buffer.from(value).toString("hex"))].join(" ");
  const { status, stdout, stderr } = spawnSync(driver!.binary, { input: line, encoding: "utf8" });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout.trim();
}

/** The engine's two functions over the same C; what the engine's own do with odd arguments, its tests say. */
const native = {
  x25519: (secret: Uint8Array, point: Uint8Array = Uint8Array.of(9, ...new Uint8Array(31))) =>
    Uint8Array.from(Buffer.from(askNative("x", secret, point), "hex")).buffer,
  ed25519Verify: (key: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
    key.length === 32 && signature.length === 64 && askNative("v", key, signature, message) === "1",
};

/** The device's own module, over the board's table of operations. */
cryptoContract(test, "virtual board", () => {
  const bus = createBus({ crypto: new ChipCrypto((length) => crypto.random(length)) } as Peripherals);
  Object.assign(globalThis, native, { bus: (name: string, ...args: never[]) => bus[name]!(args) });
  return virtual;
});
