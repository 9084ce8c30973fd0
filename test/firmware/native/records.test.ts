// The boards' portable C, run here, against the TypeScript that reads its records; under valgrind where there is one.

import test from "ava";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADDRESS_RECORD_SIZE } from "../../../firmware/device/sdk/address-record.js";
import { RECORD_SIZE, ScanRecords } from "../../../firmware/device/sdk/scan-record.js";
import * as station from "../../../firmware/device/sdk/serial-station.js";
import * as touch from "../../../firmware/device/sdk/touch-listener.js";
import { touchCredentials } from "../../../firmware/device/sdk/touch-record.js";
import { encodeBase64url } from "../../../firmware/protocol/base64url.js";
import { parseReserved, type ReservedData } from "../../../firmware/protocol/reserved-data.js";
import { encodeReserved } from "../../../firmware/protocol/reserved-data-writer.js";
import { callCompiler, findCompiler } from "../../../tools/engine/cc.js";
import { seededRandom } from "../../support/random.js";

const NATIVE = "firmware/native";
const STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-g"];
const PORTABLE = ["broome-scan-list.c", "broome-touch-record.c", "broome-uptime.c"];
const VALGRIND = ["--quiet", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all"];

const valgrind = spawnSync("valgrind", ["--version"]).status === 0;
if (!valgrind)
  console.error("!!! valgrind is not installed: the boards' portable C is NOT checked for its memory !!!");
if (!valgrind && process.env["BROOME_NO_SKIP"] === "1") throw new Error("valgrind is not installed");

const dir = mkdtempSync(join(tmpdir(), "broome-native-"));
const program = join(dir, "records");
test.before(() =>
  callCompiler(findCompiler().command, "records.c", [
    ...STRICT,
    `-I${NATIVE}`,
    ...PORTABLE.map((name) => join(NATIVE, name)),
    "test/firmware/native/records.c",
    ...["-o", program],
  ]),
);
test.after.always(() => rmSync(dir, { recursive: true }));

/** One process answers all lines; those that have an answer answer with one line. */
function ask(lines: string[]): string[] {
  const [command, ...args] = valgrind ? ["valgrind", ...VALGRIND, program] : [program];
  const { stdout, stderr, status } = spawnSync(command!, args, { input: lines.join("\n"), encoding: "utf8" });
  if (status !== 0) throw new Error(`exit ${status}: ${stderr}`);
  return stdout.split("\n").slice(0, -1);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || "-";
const bytes = (text: string | undefined) => new Uint8Array(Buffer.from(text!, "hex"));
const padded = (part: Uint8Array, size: number) => {
  const field = new Uint8Array(size);
  field.set(part);
  return field;
};

test("both sides have the same numbers", (t) => {
  t.deepEqual(ask(["events"])[0]!.split(" ").map(Number), [
    station.SCANNED,
    station.ASSOCIATED,
    station.ADDRESS,
    station.LOST,
    touch.CHANNEL,
    touch.CREDENTIALS,
    touch.ACKNOWLEDGED,
    ADDRESS_RECORD_SIZE,
    RECORD_SIZE,
  ]);
});

test("of any number of networks the 16 strongest are kept, strongest first, the earlier one of two equals", (t) => {
  const random = seededRandom(42);
  const rounds = [0, 1, 15, 16, 17, 60, 500].map((count) =>
    Array.from({ length: count }, (_, i) => ({
      ssid: random.bytes(random.below(34)),
      bssid: Uint8Array.of(i >> 8, i, 0, 0, 0, 1),
      channel: 1 + random.below(13),
      rssi: -30 - random.below(70),
    })),
  );
  const answers = ask(
    rounds.flatMap((networks) => [
      "clear",
      ...networks.map(
        ({ ssid, bssid, channel, rssi }) => `add ${hex(ssid)} ${hex(bssid)} ${channel} ${rssi} 3`,
      ),
      "list",
    ]),
  );
  rounds.forEach((networks, round) => {
    const expected = networks
      .filter(({ ssid }) => ssid.length >= 1 && ssid.length <= 32)
      .sort((a, b) => b.rssi - a.rssi)
      .slice(0, 16)
      .map(({ ssid, bssid, channel, rssi }) => [ssid, bssid, channel, rssi, "wpa2"]);
    const records = bytes(answers[round]);
    const list = new ScanRecords(records);
    const heard = Array.from({ length: list.length }, (_, i) => {
      const bssid = records.slice(i * RECORD_SIZE + 33, i * RECORD_SIZE + 39);
      return [list.ssid(i), bssid, list.channel(i), list.rssi(i), list.security(i)];
    });
    t.deepEqual(heard, expected, `seed ${random.seed}, ${networks.length} networks`);
  });
});

test("credentials go through the record as they came, full fields too", (t) => {
  const text = (value: string) => new Uint8Array(Buffer.from(value, "latin1"));
  const cases = [
    { flags: 0, ssid: text("home"), password: "12345678", reserved: undefined },
    { flags: 0, ssid: text("x".repeat(32)), password: "f".repeat(64), reserved: undefined },
    { flags: 1, ssid: text("caf\xe9"), password: "", reserved: text("\0{}\0\x01") },
    { flags: 3, ssid: text("a"), password: "p".repeat(63), reserved: new Uint8Array(64).fill(7) },
    { flags: 1, ssid: text("a"), password: "12345678", reserved: new Uint8Array(0) },
  ];
  const answers = ask(
    cases.map(({ flags, ssid, password, reserved }) => {
      const fields = [padded(ssid, 32), padded(text(password), 64)].map(hex).join(" ");
      return `touch ${flags} ${fields} ${reserved ? hex(padded(reserved, 64)) : "-"}`;
    }),
  );
  cases.forEach(({ flags, ssid, password, reserved }, i) =>
    t.deepEqual(touchCredentials(bytes(answers[i])), { ssid, password, reserved, encrypted: flags === 3 }),
  );
});

test("reserved data of ours comes out of a field of 64 bytes as it went in, whatever its keys end with", (t) => {
  const random = seededRandom(7);
  const all = Array.from({ length: 300 }, (_, i) => {
    const [pin, key] = [random.bytes(16), random.bytes(22)];
    if (i % 3 === 0) key.fill(0, 22 - (i % 22));
    const host = ["10.0.0.0", "broome.local", "twenty-characters.ab"][i % 3]!;
    const joinKey = i % 2 ? encodeBase64url(key) : undefined;
    return { server: { host, port: 256 * (1 + (i % 200)), pin: encodeBase64url(pin) }, joinKey };
  });
  const field = (data: ReservedData) => {
    const padded = new Uint8Array(64);
    padded.set(encodeReserved(data));
    return hex(padded);
  };
  const network = `${"61".repeat(32)} ${"62".repeat(64)}`;
  const answers = ask(all.map((data) => `touch 3 ${network} ${field(data)}`));
  all.forEach((data, i) => {
    const heard = touchCredentials(bytes(answers[i]))!;
    t.deepEqual(parseReserved(heard.reserved!), data, `seed ${random.seed}`);
  });
});

test("uptime does not wrap with the counter of 32 bits", (t) => {
  const wrap = 2 ** 32;
  const looks = [
    0,
    999,
    1_000,
    wrap - 1,
    wrap,
    wrap + 5_000_000,
    2 * wrap + 1,
    5 * wrap - 1,
    5 * wrap + 123_456_789,
  ];
  // Looked at once a turn of the counter at least, as the firmware does.
  const turns = looks.flatMap((at, i) => {
    const steps = [];
    for (let step = (looks[i - 1] ?? 0) + wrap / 2; step < at; step += wrap / 2) steps.push(step);
    return [...steps, at];
  });
  const answers = ask(turns.map((at) => `uptime ${at % wrap}`)).map(Number);
  t.deepEqual(
    looks.map((at) => answers[turns.indexOf(at)]),
    looks.map((at) => Math.floor(at / 1_000)),
  );
});

test("every host function that the boards' TypeScript names is in their C, and the other way round", (t) => {
  const textOf = (folder: string, ends: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ends))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
  const namesIn = (text: string, pattern: RegExp) =>
    [...new Set([...text.matchAll(pattern)].map(([, name]) => name))].sort();
  for (const chip of ["esp32", "esp8266"]) {
    const c = textOf(NATIVE, ".c") + textOf(join(NATIVE, chip), ".c");
    const ts = textOf(join("firmware/device", chip), ".ts");
    const named = namesIn(ts, /native\("(xs_broome_\w+)"\)/g);
    t.true(named.length > 12);
    t.deepEqual(named, namesIn(c, /^void (xs_broome_\w+)/gm), chip);
  }
});
