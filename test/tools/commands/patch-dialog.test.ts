// `broome` with a person at a terminal (a real pty): the menu, the questions, the hidden password, Ctrl-C.

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readValues } from "../../../tools/patch/patch.js";
import { sha256, testImage } from "../../firmware/format/test-image.js";
import { terminal } from "../../support/terminal.js";
import { appWith } from "../patch/third-party-image.js";

function setUp(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "broome-dialog-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "a.bin"), testImage());
  writeFileSync(join(folder, "b.bin"), testImage());
  return folder;
}

test("a numbered menu of the .bin files, then the questions; the password is never on the screen", async (t) => {
  const folder = setUp(t);
  const { answer, screen, exit } = await terminal(t, folder, ["patch"]);
  await answer("2) b.bin", "2\r");
  await answer("Wi-Fi network (SSID)", "home\r");
  await answer("Wi-Fi password", "short\r");
  await answer("has 5 characters", "\x7f".repeat(5) + "correct horse\r");
  await answer("Name of the device", "Bret\r");
  await answer("Server, http", "\r");
  await answer("Join key", "\r");
  t.is(await exit, 0, screen());
  t.notRegex(screen(), /correct|horse|short/);
  const image = new Uint8Array(readFileSync(join(folder, "b_patched.bin")));
  t.deepEqual(readValues(image, { sha256 }), {
    "wifi.ssid": "home",
    "wifi.password": "correct horse",
    "device.name": "Bret",
  });
});

test("who names no network is asked for the key under which a phone will name it", async (t) => {
  const folder = setUp(t);
  const { answer, screen, exit } = await terminal(t, folder, ["patch", "a.bin"]);
  await answer("Wi-Fi network (SSID)", "\r");
  await answer("Wi-Fi password", "\r");
  await answer("Name of the device", "\r");
  await answer("Server, http", "\r");
  await answer("Join key", "\r");
  await answer("ESP-Touch key", "fifteen letters\r");
  await answer("16 printable ASCII", "!\r");
  t.is(await exit, 0, screen());
  t.notRegex(screen(), /fifteen/);
  const image = new Uint8Array(readFileSync(join(folder, "a_patched.bin")));
  t.is(readValues(image, { sha256 })?.["smartconfig.key"], "fifteen letters!");
});

test("another project's binary: its placeholders are asked for, with [default]; without a board it says how to flash", async (t) => {
  const folder = setUp(t);
  writeFileSync(join(folder, "c.bin"), appWith(["WIFISSID        ", "CLOUDNAM        ", "DEVCUSER        "]));
  const { answer, screen, exit } = await terminal(t, folder, ["patch"]);
  await answer("3) c.bin", "3\r");
  await answer("Wi-Fi network (SSID)", "seventeen letters\r");
  await answer("16 fit", "\x7f".repeat(17) + "home\r");
  await answer("Cloud host [iot.thinger.io]", "\r");
  await answer("Cloud user name", "Thing4\r");
  t.is(await exit, 0, screen());
  t.regex(screen(), /Later: broome -p PORT flash 0x10000 \S+c_patched\.bin/);
  const text = readFileSync(join(folder, "c_patched.bin")).toString("latin1");
  t.regex(text, /\0home\0+iot\.thinger\.io\0+Thing4\0/);
});

test("Ctrl-C at a question ends with 130 and leaves nothing", async (t) => {
  const folder = setUp(t);
  const { answer, screen, exit } = await terminal(t, folder, ["patch", "a.bin"]);
  await answer("Wi-Fi network (SSID)", "home\r");
  await answer("Wi-Fi password", "\x03");
  t.is(await exit, 130, screen());
  t.deepEqual(readdirSync(folder).sort(), ["a.bin", "b.bin"]);
});

test("Ctrl-C at the passphrase is the person's wish, not a defect", async (t) => {
  const folder = setUp(t);
  const { answer, screen, exit } = await terminal(t, folder, [
    "keys",
    "init",
    "--keys",
    join(folder, "keys"),
  ]);
  await answer("Passphrase of the update keys", "long enough\r");
  await answer("Once more", "\x03");
  t.is(await exit, 130, screen());
  t.regex(screen(), /interrupted/);
  t.deepEqual(readdirSync(folder).sort(), ["a.bin", "b.bin"]);
});
