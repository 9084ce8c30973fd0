// Button and LED: what a person without a terminal can do, and sees.

import test from "ava";
import { loadNetworks } from "../../../firmware/connect/networks.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";

const BUTTON = 9;
const LED = 8;
const config = () => ({ button: BUTTON, led: LED });
const defaults = { "wifi.ssid": network.ssid, "wifi.password": network.password };

test.afterEach.always(() => FirmwareBoard.endAll());

/** What the LED did in two seconds from `fromMs` on, a character a quarter of a second. */
function pattern(board: FirmwareBoard, fromMs: number): string {
  const at = (ms: number) => board.lights.findLast(([pin, , since]) => pin === LED && since <= ms)?.[1];
  return Array.from({ length: 8 }, (_, quarter) => (at(fromMs + 250 * quarter) ? "#" : ".")).join("");
}

/** World time goes on until the board has run so long. */
async function until(board: FirmwareBoard, uptimeMs: number): Promise<void> {
  await board.until(`${uptimeMs} ms`, () => board.uptimeMs > uptimeMs || undefined);
}

/** The same wherever it was begun to be looked at. */
function isRotationOf(seen: string, wanted: string): boolean {
  return seen.length === wanted.length && (wanted + wanted).includes(seen);
}

test.serial(
  "the LED blinks while a network is looked for, flashes twice while it waits, is lit on line",
  async (t) => {
    const world = worldOf({ accessPoints: [{ ...network, security: "wpa2", fail: "no-address" }] });
    const board = new FirmwareBoard({ world, config, defaults });
    await board.waitFor(/step=defaults result=no-address/);
    t.true(isRotationOf(pattern(board, 1000), "#.#.#.#."), pattern(board, 1000));
    await until(board, 20_000);
    t.true(isRotationOf(pattern(board, 15_000), "#.#....."), pattern(board, 15_000));
    board.air.setFailure("Broome", undefined);
    await board.waitFor(/result=online/);
    const from = board.uptimeMs + 1_500;
    await until(board, from + 2_000);
    t.is(pattern(board, from), "########");
  },
);

test.serial(
  "pressed within 5 s after the start: set-up begins at step 3, though a network is known",
  async (t) => {
    const first = new FirmwareBoard({ config, defaults });
    await first.waitFor(/result=online/);
    const second = first.reset("external", { defaults: {} });
    await second.waitFor(/result=online/);
    second.pressed.add(BUTTON);
    await second.waitFor(/button: set-up was asked for[^]*Press Enter to set up network/);
    second.pressed.delete(BUTTON);
    await second.waitFor(/step=smartconfig result=timeout[^]*step=stored result=online/); // after the slice: nobody is locked out
    t.is(loadNetworks(second.store).length, 1);
  },
);

test.serial(
  "pressed later it does nothing; held for 15 s it forgets the networks, says so, and restarts",
  async (t) => {
    const board = new FirmwareBoard({ config, defaults });
    await board.waitFor(/result=online/);
    await until(board, 7_000);
    board.pressed.add(BUTTON);
    const pressedMs = board.uptimeMs;
    await until(board, pressedMs + 10_000);
    board.pressed.delete(BUTTON);
    t.is(loadNetworks(board.store).length, 1);
    t.notRegex(board.said, /button:/);
    await until(board, pressedMs + 13_000);
    board.pressed.add(BUTTON);
    await board.waitFor(/held for 15 s: the stored networks are forgotten/);
    const forgottenMs = board.uptimeMs;
    await until(board, forgottenMs + 10_000);
    t.is(board.ending, undefined, "held at a restart it would be the download strap");
    board.pressed.delete(BUTTON);
    await board.until("the restart", () => board.ending === "restart" || undefined);
    t.true(isRotationOf(pattern(board, forgottenMs + 600), "###.###."), pattern(board, forgottenMs + 600));
    t.deepEqual(loadNetworks(board.store), []);
    const second = board.reset("software", { defaults: {} });
    await second.waitFor(/cause=user[^]*forgotten/);
    t.is((await second.waitFor(/step=stored result=\S+/))[0], "step=stored result=none");
  },
);

test.serial("an LED that is lit by a low level is driven low on line", async (t) => {
  const board = new FirmwareBoard({ config: () => ({ ...config(), ledOn: 0 as const }), defaults });
  await board.waitFor(/result=online/);
  await until(board, board.uptimeMs + 2_000);
  t.deepEqual(board.lights.at(-1)!.slice(0, 2), [LED, false]);
});
