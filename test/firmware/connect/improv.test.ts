// Improv on the device: improv-wifi-serial-sdk talks to it, and what comes instead of a proper client stores nothing.

import test from "ava";
import { isHostName } from "../../../firmware/connect/names.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { encodeFrame, FrameType } from "../../../firmware/protocol/improv.js";
import { ImprovParser } from "../../../firmware/protocol/improv-parser.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";
import { improvOver, type ImprovClient } from "../../support/improv-sdk.js";
import { seededRandom } from "../../support/random.js";

const values = { "wifi.ssid": network.ssid, "wifi.password": network.password };
const accessPoints = [
  { ...network, security: "wpa2", rssi: -50 },
  { ...network, security: "wpa2", rssi: -70, channel: 11 },
  { ssid: "Open House", security: "open", rssi: -60 },
  { ssid: '\u{1f42a} "Camel"', password: "camel-train-1", security: "wpa3", rssi: -65 },
];
const world = worldOf({ clock: "real", accessPoints });
const TIMEOUT_MS = 30_000;

test.afterEach.always(() => FirmwareBoard.endAll());

async function clientOf(board: FirmwareBoard): Promise<ImprovClient> {
  const client = await improvOver({
    write: (bytes) => board.send(bytes),
    listen: (onBytes) => (board.onBytes = onBytes),
  });
  return client;
}

function known(board: FirmwareBoard): [string, string][] {
  return loadNetworks(board.store).map(({ ssid, password }) => [ssidText(ssid), password]);
}

test.serial(
  "a blank board is found, described, scanned, set up; the answer has the server's page",
  async (t) => {
    const board = new FirmwareBoard({ world, defaults: { "server.url": "http://192.0.2.1:3000/" } });
    const client = await clientOf(board);
    t.deepEqual(await client.initialize(TIMEOUT_MS), {
      firmware: "test",
      version: "1.0.0",
      chipFamily: "ESP32-C3",
      name: "test-000007",
      osName: null,
      osVersion: null,
    } as never);
    t.is(client.state, 2);
    const found = await client.scan();
    t.deepEqual(
      found.map(({ name, secured }) => [name, secured]),
      [
        ['\u{1f42a} "Camel"', true],
        ["Broome", true],
        ["Open House", false],
      ],
    );
    t.true(found.every(({ rssi }) => rssi < -45 && rssi > -75));
    await client.provision(network.ssid, network.password, TIMEOUT_MS);
    t.is(client.state, 4);
    t.is(client.nextUrl, "http://192.0.2.1:3000/");
    t.deepEqual(known(board), [[network.ssid, network.password]]);
    await board.waitFor(/chain: step=improv result=online/);
    t.false(board.said.includes(network.password));
    await client.close();
  },
);

test.serial("a wrong password is refused and not stored; the right one is taken after it", async (t) => {
  const board = new FirmwareBoard({ world });
  const client = await clientOf(board);
  await client.initialize(TIMEOUT_MS);
  await t.throwsAsync(client.provision(network.ssid, "not the password", TIMEOUT_MS).catch(asError), {
    message: "UNABLE_TO_CONNECT",
  });
  await client.requestCurrentState();
  t.is(client.state, 2);
  t.deepEqual(known(board), []);
  await board.waitFor(/chain: step=improv result=wrong-password \(\d+\)/);
  await client.provision(network.ssid, network.password, TIMEOUT_MS);
  t.is(client.state, 4);
  t.is(client.nextUrl, undefined);
  await client.close();
});

test.serial("on line too: another network on trial, and back to the old one where it fails", async (t) => {
  const board = new FirmwareBoard({ world, defaults: values });
  const client = await clientOf(board);
  await board.waitFor(/defaults result=online/);
  await client.initialize(TIMEOUT_MS);
  t.is(client.state, 4);
  await t.throwsAsync(client.provision("Open Hose", "", TIMEOUT_MS).catch(asError));
  await board.waitFor(/connection lost[^]*step=improv result=not-found[^]*step=stored result=online/);
  t.deepEqual(known(board), [[network.ssid, network.password]]);
  await client.provision("Open House", "", TIMEOUT_MS);
  t.deepEqual(known(board), [
    ["Open House", ""],
    [network.ssid, network.password],
  ]);
  await client.close();
});

test.serial(
  "after a change of the network it offers at once to name a server, whatever it waited for",
  async (t) => {
    const board = new FirmwareBoard({ world, defaults: values });
    const client = await clientOf(board);
    await board.waitFor(/no server is known/);
    await new Promise((resolve) => setTimeout(resolve, 3_200)); // the pauses have become seconds
    const from = board.said.length;
    await client.initialize(TIMEOUT_MS);
    await client.provision("Open House", "", TIMEOUT_MS);
    const online = board.clock.now();
    await board.waitFor(/step=improv result=online[^]*Press Enter to set up the server/, from);
    t.true(board.clock.now() - online < 1500);
    await client.close();
  },
);

test.serial("hostname and name are kept over a restart; what cannot be one is refused", async (t) => {
  const board = new FirmwareBoard({ world, defaults: { "device.name": "Bret's gadget" } });
  const client = await clientOf(board);
  await client.initialize(TIMEOUT_MS);
  t.is(await client.getDeviceName(), "Bret's gadget");
  t.is(await client.getHostname(), "test-000007");
  t.is(await client.setHostname("gate-3"), "gate-3");
  t.is(await client.setDeviceName("Gate"), "Gate");
  for (const bad of ["-gate", "gate-", "my gate", "g\u00e4te", "x".repeat(33)])
    await t.throwsAsync(client.setHostname(bad).catch(asError), { message: "BAD_HOSTNAME" }, bad);
  await t.throwsAsync(client.setDeviceName("x".repeat(33)).catch(asError));
  const { online, supportsWifi } = await client.requestNetworkState();
  t.deepEqual([online, supportsWifi], [false, true]);
  await client.close();
  const second = board.reset("external");
  const again = await clientOf(second);
  t.is((await again.initialize(TIMEOUT_MS)).name, "Gate");
  t.is(await again.getHostname(), "gate-3");
  await again.close();
});

test.serial("the router hears the host name: the board's own, then the one that was set", async (t) => {
  const board = new FirmwareBoard({ world, defaults: values });
  const noted = () => [...board.air.named(network.ssid)[0]!.leases.values()];
  await board.waitFor(/defaults result=online/);
  t.deepEqual(noted(), ["test-000007"]);
  const client = await clientOf(board);
  await client.initialize(TIMEOUT_MS);
  await client.setHostname("gate-3");
  board.reset("external");
  await FirmwareBoard.current!.waitFor(/stored result=online/);
  t.deepEqual(noted(), ["gate-3"]);
});

for (const [product, host] of [
  ["my_gadget 2", "my-gadget-2-000007"],
  ["Bret's (new) gadget!", "Bret-s-new-gadget-000007"],
  ["a-product-of-thirty-two-letters-x", "a-product-of-thirty-two-l-000007"],
  ["twenty-five-characters-is-", "twenty-five-characters-is-000007"],
  ["\u{1f42a}", "000007"],
] as const)
  test.serial(`a board of product "${product}" is host "${host}"`, async (t) => {
    const board = new FirmwareBoard({ world, defaults: values, config: () => ({ product }) });
    await board.waitFor(/defaults result=online/);
    t.deepEqual([...board.air.named(network.ssid)[0]!.leases.values()], [host]);
    t.true(isHostName(host));
  });

test.serial(
  "a scan is answered while somebody is at the dialog, whose line comes through whole",
  async (t) => {
    const board = new FirmwareBoard({ world });
    const client = await clientOf(board);
    await board.waitFor(/Number or name[^\n]*: $/);
    board.type("Open Ho");
    t.is((await client.initialize(TIMEOUT_MS)).version, "1.0.0");
    t.is((await client.scan()).length, 3);
    board.type("use\n");
    await board.waitFor(/Password[^\n]*: $/);
    board.type("\n");
    await board.waitFor(/Connected: 192/);
    await client.requestCurrentState();
    t.is(client.state, 4);
    await client.close();
  },
);

test.serial("a request that comes with the start is answered within 100 ms of it", async (t) => {
  const board = new FirmwareBoard({ world: worldOf({ accessPoints }) });
  const answers = answersOf(board);
  const parse = board.onBytes!;
  let skippedMs = Infinity;
  board.onBytes = (bytes) => {
    parse(bytes);
    if (answers.length > 0) skippedMs = Math.min(skippedMs, board.clock.skippedMs);
  };
  board.send(encodeFrame(FrameType.rpc, Uint8Array.of(2, 0)));
  await board.until("an answer", () => answers.length > 0 || undefined);
  t.is(answers[0], "state 2");
  t.true(skippedMs < 100, "waited, besides what this machine took to compute");
});

/** What the board answered: "state 2", "error 1", "result 3"; text is left out. */
function answersOf(board: FirmwareBoard): string[] {
  const answers: string[] = [];
  const parser = new ImprovParser({
    onText: () => undefined,
    onFrame: (type, data) => answers.push(`${["", "state", "error", "rpc", "result"][type]} ${data[0]}`),
    onBadFrame: () => answers.push("bad"),
  });
  board.onBytes = (bytes) => bytes.forEach((byte) => parser.push(byte));
  return answers;
}

const rpc = (...data: number[]) => encodeFrame(FrameType.rpc, Uint8Array.from(data));
const credentials = (ssid: number[], password: number[]) =>
  rpc(1, ssid.length + password.length + 2, ssid.length, ...ssid, password.length, ...password);
const ascii = (text: string) => [...Buffer.from(text)];

for (const [what, frame, answer] of [
  ["an unknown command", rpc(99, 0), "error 2"],
  ["an RPC with a wrong inner length", rpc(1, 9, 1), "error 1"],
  ["an RPC of one byte", rpc(2), "error 1"],
  ["a name of 0 bytes", credentials([], ascii("password1")), "error 1"],
  ["a name of 33 bytes", credentials(new Array<number>(33).fill(65), ascii("password1")), "error 1"],
  ["a password of 7 bytes", credentials(ascii("x"), ascii("1234567")), "error 1"],
  ["a password of 64 bytes that is no key", credentials(ascii("x"), ascii("y".repeat(64))), "error 1"],
  ["a password that is no UTF-8", credentials(ascii("x"), new Array<number>(9).fill(0xff)), "error 1"],
  ["a password with a NUL", credentials(ascii("x"), ascii("pass\0word")), "error 1"],
] as const)
  test.serial(`${what} is answered with an error, and nothing is tried`, async (t) => {
    const board = new FirmwareBoard({ world });
    const answers = answersOf(board);
    await board.waitFor(/Number or name/);
    board.send(frame);
    await board.until("an answer", () => answers.length > 0 || undefined);
    t.deepEqual(answers, [answer]);
    t.deepEqual(board.joins, []);
  });

for (const [what, ssid, password] of [
  ["a name with NULs that is no UTF-8", [0, 0xff, 0, 0xfe], ""],
  ["a name of 32 bytes, a password of 63", ascii("n".repeat(32)), "p".repeat(63)],
  ["quotes and an emoji, a password of 8", ascii("\"'\u{1f42a}"), "12345678"],
  ["a key of 64 hex digits", ascii("x"), "0123456789abcdef".repeat(4)],
] as const)
  test.serial(`${what}: tried as it is, refused by the air, not stored`, async (t) => {
    const board = new FirmwareBoard({ world });
    const answers = answersOf(board);
    board.send(credentials([...ssid], ascii(password)));
    await board.until("the end", () => answers.at(-1) === "state 2" || undefined);
    t.deepEqual(answers, ["error 0", "state 3", "error 3", "state 2"]);
    t.is(board.joins.length, 1);
    t.deepEqual(known(board), []);
  });

test.serial(
  "floods of noise, half frames and damaged ones: nothing is stored, and both dialog and Improv still answer",
  async (t) => {
    const random = seededRandom(77);
    t.log(`seed ${random.seed}`);
    const board = new FirmwareBoard({ world });
    const answers = answersOf(board);
    await board.waitFor(/Number or name/);
    const good = credentials(ascii(network.ssid), ascii(network.password));
    for (let i = 0; i < 300; i += 1) {
      const part =
        i % 3 === 0 ? random.bytes(random.below(300)) : good.slice(0, random.below(good.length - 1));
      if (i % 3 === 2 && part.length > 0) part[random.below(part.length)]! ^= 1 + random.below(255);
      board.send(part);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    t.deepEqual(known(board), [], `seed ${random.seed}`);
    answers.length = 0;
    board.send(rpc(2, 0));
    await board.until("a state", () => answers.some((one) => one.startsWith("state")) || undefined);
    board.send(Uint8Array.of(3)); // Ctrl-C
    await new Promise((resolve) => setTimeout(resolve, 100));
    const from = board.said.length;
    board.type("\n");
    await board.waitFor(/Number or name[^\n]*: $|Password[^\n]*: $/, from);
    t.is(board.ending, undefined);
  },
);

/** The SDK rejects with strings. */
function asError(reason: unknown): never {
  throw reason instanceof Error ? reason : new Error(String(reason));
}
