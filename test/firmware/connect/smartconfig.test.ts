// Step 3 of the chain on the simulated air: phones with Espressif's app, near and far, right and wrong.

import test from "ava";
import type { Defaults } from "../../../firmware/format/defaults-block.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
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
      await board.waitFor(/scan again/, mark);
      t.pass();
    },
  );
