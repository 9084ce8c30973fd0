// Updates end to end in Node: trigger, download, restart, trial, confirmation, rollback, power cuts. Real server, real flash.

import test from "ava";
import type { Defaults } from "../../../firmware/format/defaults-block.js";
import { loadMemory } from "../../../firmware/ota/memory.js";
import { getCount } from "../../../firmware/store/json-record.js";
import { MINIMUM_SC } from "../../../firmware/store/keys.js";
import type { ImageConfig } from "../../../firmware/store/base.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { writeOtaEntry } from "../../../tools/simulator/slots.js";
import { OTA_VALID } from "../../../firmware/format/otadata.js";
import type { NorFlash } from "../../../tools/simulator/flash.js";
import {
  blankFlash,
  FirmwareBoard,
  network,
  worldOf,
  type BoardOptions,
} from "../../support/firmware-board.js";
import { signTest, testImage, updateKey, uploadOf } from "../../support/release.js";
import { startTestServer, type TestServer } from "../../support/test-server.js";

let server: TestServer;
let device: { id: string; defaults: Defaults; token: string };

test.beforeEach(async () => {
  server = await startTestServer();
  const { id, key } = (await server.admin("POST", "/api/devices", { name: "pre" })).body as {
    id: string;
    key: string;
  };
  const scopes = { scopes: ["read", "pins", "ota"] };
  const { token } = (await server.admin("POST", `/api/devices/${id}/tokens`, scopes)).body as {
    token: string;
  };
  const defaults = {
    "wifi.ssid": network.ssid,
    "wifi.password": network.password,
    "server.url": server.server.deviceUrl,
    "device.id": id,
    "device.key": key,
    "trial.uptimeMs": 300,
    "trial.deadlineMs": 1500,
  };
  device = { id, defaults, token };
});
test.afterEach.always(async () => {
  FirmwareBoard.endAll();
  await server.close();
});

/** What the image in each slot says of itself: 1.0.0 in ota_0, the update in ota_1. */
function configs(second: Partial<ImageConfig>): (slot: string) => Partial<ImageConfig> {
  const first = { product: "broome-example", version: "1.0.0", updateKeys: [updateKey] };
  return (slot) => (slot === "ota_0" ? first : { ...first, ...second });
}

/** A flash with 1.0.0 in its first slot. */
function newFlash(): NorFlash {
  const flash = blankFlash();
  flash.program(esp32c3.layout.ota_0.offset, testImage("1.0.0"));
  writeOtaEntry(flash, esp32c3.layout.otadata, 0, 1, OTA_VALID);
  return flash;
}

function newBoard(
  second: Partial<ImageConfig> = { version: "1.0.1" },
  more: Partial<BoardOptions> = {},
): FirmwareBoard {
  return new FirmwareBoard({
    flash: newFlash(),
    defaults: device.defaults,
    config: configs(second),
    ...more,
  });
}

async function publish(version: string, securityCounter = 0, size?: number): Promise<void> {
  const image = testImage(version, size, securityCounter);
  const { status, body } = await server.admin("POST", "/api/releases", uploadOf(signTest(image)));
  if (status !== 201) throw new Error(JSON.stringify(body));
}

async function trigger(value = "1"): Promise<void> {
  const url = new URL("/external/api/update", server.server.deviceUrl);
  url.search = new URLSearchParams({ token: device.token, v100: value }).toString();
  const response = await fetch(url);
  if (!response.ok) throw new Error(await response.text());
}

async function restarted(board: FirmwareBoard): Promise<FirmwareBoard> {
  await board.until("the restart", () => (board.ending === "restart" ? true : undefined));
  return board.reset("software");
}

/** Up to the first moments of the trial of 1.0.1. */
async function installed(board: FirmwareBoard): Promise<FirmwareBoard> {
  await board.waitFor(/bound reply/);
  await trigger();
  return restarted(board);
}

async function status(): Promise<{ state: string; version: string; cause: string; reason?: string }> {
  const { body } = await server.admin("GET", `/api/devices/${device.id}/pins`);
  const pins = body as { pin: string; reported?: { value: string } }[];
  return JSON.parse(pins.find(({ pin }) => pin === "V101")!.reported!.value) as never;
}

test.serial(
  "a raised pin installs what is on offer; the new image confirms itself and says so",
  async (t) => {
    await publish("1.0.1", 3);
    const board = newBoard({ version: "1.0.1", sc: 3 });
    const trial = await installed(board);
    t.regex(
      board.said,
      /state=checking[^]*state=offered[^]*state=downloading percent=0[^]*percent=\d\d[^]*state=verifying[^]*state=restarting/,
    );
    t.regex(trial.said, /boot: slot=ota_1 version=1\.0\.1 cause=ota/);
    t.is(getCount(trial.store, MINIMUM_SC), 0);
    await trial.waitFor(/state=confirmed/);
    t.is(trial.slots.running()[1], "valid");
    t.is(getCount(trial.store, MINIMUM_SC), 3, "only now the security counter is raised");
    await trial.until("V101", () => (trial.said.includes("confirmed") ? true : undefined));
    for (let i = 0; i < 100 && (await status()).state !== "confirmed"; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    t.like(await status(), { state: "confirmed", version: "1.0.1", cause: "pin" });
    const later = trial.reset("external");
    await later.waitFor(/bound reply/);
    t.regex(later.said, /boot: slot=ota_1[^]*state=confirmed/);
  },
);

test.serial(
  "without a bound reply the image gives up, the old one is back and says why, and does not try again",
  async (t) => {
    await publish("1.0.1");
    const board = newBoard({ version: "1.0.1", serverPin: "A".repeat(22) });
    const trial = await installed(board);
    await trial.waitFor(/state=trial/);
    const back = await restarted(trial);
    await back.waitFor(/state=rolled-back/);
    t.regex(back.said, /boot: slot=ota_0 version=1\.0\.0 cause=rollback\n.*no bound reply within 1500 ms/);
    await back.waitFor(/bound reply from/);
    for (let i = 0; i < 100 && (await status()).state !== "rolled-back"; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    t.like(await status(), { state: "rolled-back", version: "1.0.1" });
    t.regex((await status()).reason!, /no bound reply/);
    await trigger();
    await back.waitFor(/state=failed .*reason=failed-before|state=idle .*nothing on offer/);
    t.is(back.ending, undefined);
  },
);

test.serial(
  "the owner's power cut during a trial does not count against the image, three times",
  async (t) => {
    await publish("1.0.1");
    const world = worldOf({ clock: "real" });
    let board = await installed(newBoard({ version: "1.0.1", serverPin: "A".repeat(22) }, { world }));
    for (let cut = 1; cut <= 3; cut += 1) {
      await board.waitFor(/state=trial/);
      const old = board.reset("power-on"); // the bootloader marks the trial as aborted and starts the old image
      t.is(old.slots.running()[0], "ota_0");
      await old.waitFor(/reason=again after power-on/); // a turn later: a start is deep in the stack already
      board = await restarted(old);
      t.regex(board.said, /boot: slot=ota_1 version=1\.0\.1 cause=ota/);
    }
    await board.waitFor(/state=trial/);
    const last = board.reset("power-on");
    t.regex(last.said, /boot: slot=ota_0 version=1\.0\.0 cause=rollback/);
    t.is(loadMemory(last.store).s, "failed");
  },
);

for (const cause of ["exception", "watchdog"])
  test.serial(`a trial that ends in ${cause} is over, and the image is remembered as bad`, async (t) => {
    await publish("1.0.1");
    const board = await installed(newBoard());
    const old = board.reset(cause);
    t.regex(old.said, new RegExp(`slot=ota_0 version=1.0.0 cause=rollback\\n.*ended by ${cause}`));
    t.is(loadMemory(old.store).f.length, 1);
  });

test.serial("nothing on offer, or another version than wanted: said, and nothing is touched", async (t) => {
  const board = newBoard();
  await board.waitFor(/bound reply/);
  await trigger();
  await board.waitFor(/state=idle percent=0 reason=nothing on offer/);
  t.is(board.slots.other()![1], "empty");
  t.is(loadMemory(board.store).s, "");
});

for (const [what, config, reason] of [
  ["built without keys", { updateKeys: [] }, "updates-off"],
  ["trusting another key", { updateKeys: [["other", updateKey[1]]] }, "key-unknown"],
  ["of another layout", { layout: "8mb-2slot" }, "wrong-layout"],
  ["with a higher security counter", { sc: 7 }, "security-counter"],
] as const)
  test.serial(`an image ${what} refuses the update before anything is erased: ${reason}`, async (t) => {
    await publish("1.0.1");
    const flash = newFlash();
    const own = { ...configs({})("ota_0"), ...config } as Partial<ImageConfig>;
    const board = new FirmwareBoard({ flash, defaults: device.defaults, config: () => own });
    await board.waitFor(/bound reply/);
    const sector = esp32c3.layout.ota_1.offset / 4096;
    await trigger();
    const [said] = await board.waitFor(/state=(failed|idle) .*reason=.*/);
    // The server does not even offer what does not fit; whatever it offers, the device judges for itself.
    t.regex(said, new RegExp(`${reason}|nothing on offer`));
    t.is(flash.eraseCounts[sector], 0);
    t.is(board.ending, undefined);
  });

test.serial("with the power cut at any moment the installation is completed in the end", async (t) => {
  await publish("1.0.1", 0, 9000);
  const first = newBoard();
  await installed(first);
  const total = first.flash.operations.programs + first.flash.operations.erases;
  t.true(total > 40, `only ${total} operations`);
  // From here on every new board finds its trigger raised at its first reply: a board that lost its store asks once more.
  for (let cut = 1; cut < total; cut += 3) {
    const flash = newFlash();
    flash.cutAfter(cut, cut);
    let board = newBoard({ version: "1.0.1" }, { flash });
    await board.until(`an end, cut ${cut}`, () => board.ending);
    flash.cutAfter(undefined);
    for (let runs = 0; runs < 6 && !/state=confirmed/.test(board.said); runs += 1) {
      board = board.reset(board.ending === "restart" ? "software" : "power-on");
      const end = () => board.ending || /state=confirmed|nothing on offer/.test(board.said) || undefined;
      await board.until(`what comes of cut ${cut}`, end);
      if (!/nothing on offer/.test(board.said)) continue;
      await trigger(); // it had taken the trigger and was cut before it acted
      await board.until("the restart", () => board.ending);
    }
    t.regex(board.said, /slot=ota_1 version=1\.0\.1[^]*state=confirmed/, `cut ${cut}`);
  }
});
