// Which port is meant when none was named.

import test from "ava";
import { choosePort } from "../../../tools/serial/choose.js";
import type { ListedPort } from "../../../tools/serial/list.js";
import { listPorts } from "../../../tools/serial/list.js";
import { code } from "../../contract/serial-port.js";

const port = (path: string, description?: string): ListedPort => ({
  ...{ path, description, vendorId: 0x10c4, productId: 0xea60 },
});
const one = port("/dev/ttyUSB0", "Silicon Labs CP2102 USB to UART Bridge Controller");

test("the named one, or the only one", async (t) => {
  t.is(await choosePort("/dev/ttyS9", async () => [one]), "/dev/ttyS9");
  t.is(await choosePort(undefined, async () => [one]), "/dev/ttyUSB0");
});

test("none and several are errors; several are listed with their USB names", async (t) => {
  t.is(code(await t.throwsAsync(choosePort(undefined, async () => []))), "port-not-found");
  const error = await t.throwsAsync(choosePort(undefined, async () => [one, port("/dev/ttyACM0")]));
  t.is(code(error), "port-not-found");
  t.regex(error!.message, /ttyUSB0 {2}Silicon Labs CP2102[^]*ttyACM0/);
});

test("the ports of this computer can be listed, whatever is or is not installed here", async (t) => {
  const ports = await listPorts();
  t.true(ports.every(({ path, vendorId }) => path.length > 0 && vendorId !== undefined));
});
