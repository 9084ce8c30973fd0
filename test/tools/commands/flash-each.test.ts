// `broome flash --each`: two boards, one after the other on the same port, each with its own values.

import test from "ava";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeAppDescriptor } from "../../../firmware/format/app-descriptor.js";
import { blankDefaults, readDefaults, findDefaults } from "../../../firmware/format/defaults-block.js";
import { buildImage } from "../../../firmware/format/image.js";
import { esp32c3 } from "../../../tools/chips/esp32c3.js";
import { verb } from "../../../tools/commands/flash.js";
import { openPort } from "../../../tools/serial/open.js";
import { until } from "../../contract/serial-port.js";
import { sha256, testDescriptor } from "../../firmware/format/test-image.js";
import { runVerb } from "../../support/run-verb.js";
import { Rig } from "../esptool/rig.js";

const PASSWORD = "correct horse battery";

test("two boards on one port get their rows; log and labels hold no secret; a second run has nothing to do", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  writeFileSync(at("app.bin"), image());
  writeFileSync(
    at("devices.csv"),
    `name,ssid,password\nTide left,home,${PASSWORD}\nTide right,home,${PASSWORD}\n`,
  );
  const rig = await Rig.open(t);
  const { offset } = esp32c3.layout.ota_0;
  const boards: Record<string, unknown>[] = [];
  const held = () => {
    const bytes = rig.flash.read(offset, image().length);
    return readDefaults(bytes.subarray(findDefaults(bytes).offset))!;
  };
  // The next board is plugged in when the first one has started its app.
  const swap = setInterval(() => {
    if (rig.starts.at(-1) !== "app" || rig.flash.operations.programs === 0 || boards.length > 0) return;
    boards.push(held());
    rig.mac = Uint8Array.of(2, 0x11, 0x22, 0x33, 0x44, 0x66);
    rig.flash.erase(offset);
  }, 20);
  t.teardown(() => clearInterval(swap));
  const argv = [
    ...["0x10000", at("app.bin"), "--each", at("devices.csv"), "--log", at("results.csv")],
    ...["--labels", at("labels")],
  ];
  const { result, text } = await runVerb(verb, argv, { port: rig.ports.rfc2217 });
  t.deepEqual(result?.done, ["Tide left", "Tide right"], text);
  boards.push(held());
  t.deepEqual(
    boards.map((values) => values["device.name"]),
    ["Tide left", "Tide right"],
  );
  t.is(boards[1]!["wifi.password"], PASSWORD);
  const log = readFileSync(at("results.csv"), "utf8");
  t.regex(
    log,
    /^mac,result,at,name\n02:11:22:33:44:55,ok,[^,]+,Tide left\n02:11:22:33:44:66,ok,[^,]+,Tide right\n$/,
  );
  t.deepEqual(readdirSync(at("labels")).sort(), ["021122334455.svg", "021122334466.svg"]);
  for (const name of ["results.csv", "labels/021122334455.svg"])
    t.false(readFileSync(at(name), "utf8").includes(PASSWORD));
  t.false(text.includes(PASSWORD));
  await until(() => !rig.ports.uart.connected);
  const again = await runVerb(verb, argv, { port: rig.ports.rfc2217 });
  t.deepEqual(again.result?.skipped, ["Tide left", "Tide right"], again.text);
});

test("--each needs --log, and an image that takes values", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const list = join(folder, "devices.csv");
  writeFileSync(list, "name\nA\n");
  writeFileSync(join(folder, "x"), "text");
  const argv = ["0x10000", join(folder, "x"), "--each", list];
  t.is((await runVerb(verb, argv)).code, "usage");
  const log = join(folder, "results.csv");
  t.is((await runVerb(verb, [...argv, "--log", log])).code, "defaults-missing");
});

test("a log or a folder of labels that cannot be written is refused before a board is asked for", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  writeFileSync(at("app.bin"), image());
  writeFileSync(at("devices.csv"), "name,ssid\nA,home\n");
  const argv = ["0x10000", at("app.bin"), "--each", at("devices.csv"), "--log"];
  const port = "socket://127.0.0.1:1"; // nobody listens there
  const noLog = await runVerb(verb, [...argv, at("none/results.csv")], { port });
  t.is(noLog.code, "file-unwritable", noLog.text);
  const noLabels = await runVerb(verb, [...argv, at("results.csv"), "--labels", at("app.bin")], { port });
  t.is(noLabels.code, "file-unwritable", noLabels.text);
  t.regex(noLabels.text, /--labels/);
});

test("a list that is not UTF-8 is named", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const list = join(folder, "devices.csv");
  writeFileSync(list, Buffer.from("name,ssid\nB\xfchne,home\n", "latin1"));
  const { code, text } = await runVerb(verb, ["--each", list, "--log", join(folder, "results.csv")]);
  t.is(code, "value-not-utf8");
  t.regex(text, /devices\.csv: not UTF-8 at byte 11/);
});

test("without files, the list's absence is named first; a list that is there asks for the files", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const list = join(folder, "devices.csv");
  const argv = ["--each", list, "--log", join(folder, "results.csv")];
  const missing = await runVerb(verb, argv);
  t.is(missing.code, "file-unreadable");
  t.regex(missing.text, /devices\.csv/);
  writeFileSync(list, "name\nA\n");
  const { code, text } = await runVerb(verb, argv);
  t.is(code, "usage");
  t.regex(text, /flash was given no files/);
});

test("while nobody is there, one line says so", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-each-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  writeFileSync(at("app.bin"), image());
  writeFileSync(at("devices.csv"), "name,ssid\nA,home\n");
  const argv = ["0x10000", at("app.bin"), "--each", at("devices.csv"), "--log", at("results.csv")];
  const rig = await Rig.open(t);
  const other = await openPort(rig.ports.rfc2217, { baudRate: 115200 }); // a monitor has the port
  const { result, text } = await runVerb(verb, argv, {
    port: rig.ports.rfc2217,
    onSay: (line) =>
      line.includes("waiting for the next board") && setTimeout(() => void other.close(), 3500), // two more looks
  });
  t.deepEqual(result?.done, ["A"], text);
  t.is(text.match(/waiting for the next board/g)?.length, 1, text);
  t.is(text.match(/Serial port/g)?.length, 1, text);
});

function image(): Uint8Array {
  const descriptor = encodeAppDescriptor({ ...testDescriptor, project: "broome-virtual" });
  const data = new Uint8Array(Buffer.concat([descriptor, Buffer.alloc(5000, "tide "), blankDefaults(1024)]));
  const { flashMode, flashSize, flashFrequency, minRevision, maxRevision } = esp32c3.image;
  const segments = [{ loadAddress: 0x3c000020, data }];
  const header = {
    chipId: 5,
    entry: 0x40380000,
    flashMode,
    flashSize,
    flashFrequency,
    minRevision,
    maxRevision,
  };
  return buildImage({ form: "esp32", ...header, segments }, sha256);
}
