// Step 3 of the chain on the simulated air: phones with Espressif's app, near and far, right and wrong.

import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { createServer } from "node:net";
import { encodeDefaults, type Defaults } from "../../../firmware/format/defaults-block.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { encodeReserved } from "../../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../../firmware/protocol/server-url.js";
import { touchKey } from "../../../firmware/connect/smartconfig.js";
import { importDefaults } from "../../../firmware/store/defaults-record.js";
import { getRecord } from "../../../firmware/store/json-record.js";
import { SENT_SERVER, SERVER } from "../../../firmware/store/keys.js";
import { LogStore } from "../../../firmware/store/log-store.js";
import { NorFlash } from "../../../tools/simulator/flash.js";
import { flashRegion } from "../store/flash-region.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";

const KEY = "MyEncryptionKey0";
const phone = { at: 3000, via: network.ssid, ...network };

test.afterEach.always(() => FirmwareBoard.endAll());

function boardWith(phones: object[], air: object = {}, defaults: Defaults = {}): FirmwareBoard {
  return new FirmwareBoard({ world: worldOf({ phones, air }), defaults });
}

function known(board: FirmwareBoard): string[] {
  return loadNetworks(board.store).map(({ ssid }) => ssidText(ssid));
}

for (const [key, taken] of [
  [KEY, true],
  [KEY.slice(1), false],
  [`${KEY}0`, false],
  ["", false],
  ["fifteen letters\u00e9", false],
  ["fifteen letters\0", false],
] as const)
  test.serial(`a key like ${JSON.stringify(key)} is ${taken ? "one" : "none"}`, (t) => {
    const store = new LogStore({ flash: flashRegion(NorFlash.open({ size: 0x10000 })) });
    importDefaults(store, encodeDefaults({ "smartconfig.key": key }));
    t.is(touchKey(store), taken ? key : undefined);
  });

for (const [title, phones, air] of [
  ["v1", [{ ...phone, sends: "v1" }], {}],
  ["v2", [{ ...phone, sends: "v2" }], {}],
  ["v1 through 30 % loss", [{ ...phone, sends: "v1" }], { loss: 0.3 }],
  ["v2 through 30 % loss and frames that overtake", [{ ...phone }], { loss: 0.3, reorder: 0.02 }],
  ["v2 without a name: that of the access point", [{ ...phone, ssid: "" }], {}],
  ["v2 beside garbage from somebody else", [{ at: 0, via: network.ssid, sends: "garbage" }, phone], {}],
] as const)
  test.serial(`${title}: on line, stored, and the phone is told`, async (t) => {
    const board = boardWith([...phones], air);
    await board.waitFor(/step=smartconfig result=online/);
    await board.until("an answer", () => board.answers.length > 0 || undefined);
    t.deepEqual(known(board), [network.ssid]);
    const [answer] = board.answers;
    const { ssid } = phones.at(-1) as { ssid?: string };
    const name = ssid === "" ? network.ssid : phone.ssid;
    t.is(answer![0], name.length + phone.password.length + 9);
    t.is([...answer!.subarray(7)].join("."), "192.168.6.2");
    t.log(`virtual ${Math.round(board.clock.now())} ms`);
  });

for (const [title, phones] of [
  ["v2 sealed for it", [{ ...phone, key: KEY }]],
  ["v2 in the clear", [phone]],
  ["v1", [{ ...phone, sends: "v1" }]],
  [
    "v2 sealed for it, beside one for another key",
    [
      { ...phone, key: "another key 4711" },
      { ...phone, key: KEY },
    ],
  ],
] as const)
  test.serial(`a device with an ESP-Touch key hears ${title}`, async (t) => {
    const board = boardWith([...phones], {}, { "smartconfig.key": KEY });
    await board.waitFor(/step=smartconfig result=online/);
    t.deepEqual(known(board), [network.ssid]);
    t.false(board.said.includes(KEY));
  });

test.serial("a wrong password is on trial, fails, is not stored, and the phone hears nothing", async (t) => {
  const board = boardWith([{ ...phone, password: "boab-prison-tree" }]);
  await board.waitFor(/step=smartconfig result=wrong-password/);
  t.deepEqual(known(board), []);
  t.deepEqual(board.answers, []);
  t.false(board.said.includes("boab-prison-tree"));
});

for (const [title, phones, key] of [
  ["sealed for a key that the device has not", [{ ...phone, key: KEY }]],
  ["sealed for another key than the device's", [{ ...phone, key: KEY }], "another key 4711"],
  ["sealed, and what the device has is no key", [{ ...phone, key: KEY }], "short"],
  ["cut off after half a second", [{ ...phone, forMs: 500 }]],
  ["garbage", [{ at: 0, via: network.ssid, sends: "garbage" }]],
] as const)
  test.serial(
    `${title}: nothing is heard, the slice ends with a reason, the dialog still answers`,
    async (t) => {
      const board = boardWith([...phones], {}, key ? { "smartconfig.key": key } : {});
      await board.waitFor(/step=smartconfig result=timeout/);
      t.deepEqual(known(board), []);
      t.deepEqual(board.answers, []);
      const mark = board.said.length;
      board.type("?\n");
      const [help] = await board.waitFor(/Choose by its number[^]*scan again/, mark);
      t.regex(help, /Ctrl-C leaves/);
    },
  );

// --- reserved data ---

const PIN = "B".repeat(21) + "A";
const JOIN_KEY = "Bd1zXq0aYGFiY2RlZmdoaWprbG1ubw";
const NOBODY = `http://127.0.0.1:1/#${PIN}`;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const reservedFor = (url: string, joinKey?: string) =>
  hex(encodeReserved({ server: parseServerUrl(url), joinKey }));

/** A server that accepts connections, and says nothing. */
async function listening(t: ExecutionContext): Promise<string> {
  const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/#${PIN}`;
}

test.serial(
  "server and join key that came sealed are stored once the server accepts a connection",
  async (t) => {
    const url = await listening(t);
    const sealed = { ...phone, key: KEY, reserved: reservedFor(url, JOIN_KEY) };
    const board = boardWith([sealed], {}, { "smartconfig.key": KEY });
    await board.waitFor(/step=smartconfig result=online[^]*smartconfig: server .* is stored/);
    t.deepEqual(getRecord(board.store, SENT_SERVER), { url, key: JOIN_KEY });
    t.is(getRecord(board.store, SERVER), undefined);
    t.false(board.said.includes(JOIN_KEY));
    await board.until("an answer", () => board.answers.length > 0 || undefined);
  },
);

test.serial("a server that does not answer is not stored, the network is", async (t) => {
  const board = boardWith([{ ...phone, reserved: reservedFor(NOBODY) }]);
  await board.waitFor(/smartconfig: server 127\.0\.0\.1:1 does not answer/);
  await board.waitFor(/no server is known/);
  t.is(getRecord(board.store, SENT_SERVER), undefined);
  t.deepEqual(known(board), [network.ssid]);
});

test.serial("with a wrong password nothing is stored of the server either", async (t) => {
  const reserved = reservedFor(await listening(t));
  const board = boardWith([{ ...phone, password: "boab-prison-tree", reserved }]);
  await board.waitFor(/step=smartconfig result=wrong-password/);
  await board.waitFor(/step=smartconfig result=timeout/);
  t.is(getRecord(board.store, SENT_SERVER), undefined);
});

test.serial("a join key that came in the clear is ignored and said so; its server is taken", async (t) => {
  const url = await listening(t);
  const board = boardWith([{ ...phone, reserved: reservedFor(url, JOIN_KEY) }]);
  await board.waitFor(/join key is ignored: it came in the clear[^]*server .* is stored/);
  t.deepEqual(getRecord(board.store, SENT_SERVER), { url, key: "" });
});

const ours = encodeReserved({ server: parseServerUrl(NOBODY), joinKey: JOIN_KEY });
for (const [title, reserved, line, key] of [
  ["text of another app", hex(Buffer.from("hello, light bulb")), /ignored: it is another app's/],
  ["ours, cut short", hex(ours.subarray(0, -1)), /ignored: it does not end where it should/],
  ["64 bytes of noise", "b1".padEnd(128, "5a"), /ignored: it has flags that are not known/],
  ["ours in the clear, and the device has a key", hex(ours), /ignored: it came in the clear, and this/, KEY],
] as const)
  test.serial(`reserved data, ${title}: one line in the log, the network is taken`, async (t) => {
    const board = boardWith([{ ...phone, reserved }], {}, key ? { "smartconfig.key": key } : {});
    await board.waitFor(/no server is known/);
    const lines = board.lines.filter((text) => / smartconfig: /.test(text));
    t.is(lines.length, 1);
    t.regex(lines[0]!, line);
    t.deepEqual(known(board), [network.ssid]);
    t.is(getRecord(board.store, SENT_SERVER), undefined);
  });

test.serial("empty reserved data is none: nobody is told", async (t) => {
  const board = boardWith([{ ...phone, reserved: "" }]);
  await board.waitFor(/no server is known/);
  t.notRegex(board.said, / smartconfig: /);
});
