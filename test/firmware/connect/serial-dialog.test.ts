// The line dialog on the UART: what a person sees, types, and gets; and what they cannot break.

import test from "ava";
import { once } from "node:events";
import { createServer } from "node:net";
import { LineEditor, MAX_LINE } from "../../../firmware/connect/line-editor.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { getRecord } from "../../../firmware/store/json-record.js";
import { SERVER } from "../../../firmware/store/keys.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";
import { seededRandom } from "../../support/random.js";

const KEY = "A".repeat(30);
const PIN = "B".repeat(22);
const world = worldOf({
  clock: "real",
  accessPoints: [
    { ...network, security: "wpa2", rssi: -50 },
    { ssid: "Open House", security: "open", rssi: -70 },
    { ssid: "bad\u001b[31mname\n", password: "whatever-it-is", security: "wpa2", rssi: -80 },
  ],
});

test.afterEach.always(() => FirmwareBoard.endAll());

/** Types each answer when its question stands there. */
async function converse(board: FirmwareBoard, ...turns: [RegExp, string][]): Promise<void> {
  let from = 0;
  for (const [question, answer] of turns) {
    await board.waitFor(question, from);
    from = board.said.length;
    board.type(answer);
  }
}

test.serial(
  "scan, choose, wrong password, right password, server, join key: tried, then stored",
  async (t) => {
    const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.teardown(() => server.close());
    const { port } = server.address() as { port: number };
    const url = `http://127.0.0.1:${port}/#${PIN}`;
    const board = new FirmwareBoard({ world });
    await converse(
      board,
      [
        / 1 {2}Broome +\[####\] -\d+ dBm {2}channel 6 {3}wpa2\n +2 {2}Open House +\[##\.\.\] -\d+ dBm {2}channel 6 {3}open\n[^]*Number or name[^\n]*\[1\]: $/,
        "1\r\n",
      ],
      [/Password[^\n]*: $/, "not the password\r"],
      [/not accepted\. \[wrong-password \(\d+\)\]\n[^]*Password of "Broome"[^\n]*: $/, "short\n"],
      [/8 to 63 bytes[^]*Password of "Broome"[^\n]*: $/, `xx\b\x7f${network.password}\n`],
      [/Connected: 192[^]*Server[^\n]*: $/, "?\n"],
      [/broome serve[^]*Server[^\n]*: $/, "http://127.0.0.1:1/\n"],
      [/Nothing answers there[^]*Server[^\n]*: $/, "https://x/\n"],
      [/TLS is not offered[^]*Server[^\n]*: $/, `${url}\n`],
      [/Join key[^\n]*: $/, "help\n"],
      [/broome join-keys create[^]*Join key[^\n]*: $/, "short\n"],
      [/a join key has 30 characters[^]*Join key[^\n]*: $/, `${KEY}\n`],
    );
    await board.waitFor(/step=serial result=online ms=\d+[^]*The server is stored/);
    t.deepEqual(getRecord(board.store, SERVER), { url, key: KEY, fresh: true });
    t.deepEqual(
      loadNetworks(board.store).map(({ ssid }) => ssidText(ssid)),
      ["Broome"],
    );
    t.false(board.said.includes(network.password), "the password is never shown");
    t.false(board.said.includes(KEY), "nor is the join key");
    t.regex(board.said, /\*{16}/);
    t.false(board.said.includes("\u001b[31m"), "names on the air cannot steer the terminal");
    server.close();
  },
);

test.serial(
  "0 scans again, an open network needs no password, a number that is not there is refused",
  async (t) => {
    const board = new FirmwareBoard({ world });
    await converse(
      board,
      [/Number or name[^\n]*: $/, "0\n"],
      [/Looking for networks[^]*Number or name[^\n]*: $/, "7\n"],
      [/There is no 7[^]*Number or name[^\n]*: $/, "2\n"],
      [/Connected[^]*Server[^\n]*: $/, "\n"],
    );
    await board.waitFor(/step=serial result=online/);
    t.deepEqual(
      loadNetworks(board.store).map(({ ssid }) => ssidText(ssid)),
      ["Open House"],
    );
  },
);

test.serial("what stands before the first question is for a person", async (t) => {
  const board = new FirmwareBoard({ world });
  await board.waitFor(/Number or name[^\n]*: $/);
  const [log, screen = ""] = board.said.split("\n\nSet-up of test: first its network, then its server.\n");
  t.regex(log!, /step=defaults result=none/);
  t.regex(
    screen,
    /^Looking for networks \.\.\.\n( +\d [^\n]+\n){3}Number or name[^\n]*: $/,
    "and no line of the log",
  );
});

test.serial("a server without pin, and no join key: what follows from that is said", async (t) => {
  const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  const board = new FirmwareBoard({ world });
  await converse(
    board,
    [/Number or name[^\n]*: $/, "2\n"],
    [/Connected[^]*Server[^\n]*: $/, `${url}\n`],
    [/Without its #pin[^\n]*until you have compared a code[^\n]*\n[^]*Join key[^\n]*: $/, "\n"],
  );
  await board.waitFor(/Without a join key[^\n]*knows this device[^\n]*\nThe server is stored/);
  t.deepEqual(getRecord(board.store, SERVER), { url, key: "", fresh: true });
});

test.serial(
  "a network by name; Ctrl-C leaves; a nameless, over-long or short answer is said to be wrong",
  async (t) => {
    const board = new FirmwareBoard({ world });
    await converse(
      board,
      [/Number or name[^\n]*: $/, `${"n".repeat(40)}\n`],
      [/1 to 32 bytes[^]*Number or name[^\n]*: $/, "Broome\n"],
      [/Password[^\n]*: $/, "short\n"],
      [/8 to 63 bytes[^]*Password of "Broome"[^\n]*: $/, "\n"],
      [/Number or name[^\n]*: $/, "1\n"],
      [/Password \(not shown\): $/, "\n"],
      [/this network has a password[^]*Password of "Broome"[^\n]*: $/, "\x03"],
    );
    await board.waitFor(/step=serial result=none/);
    t.deepEqual(loadNetworks(board.store), []);
  },
);

test.serial(
  "with known networks it asks for Enter, and the networks are tried again meanwhile",
  async (t) => {
    const faraway = worldOf({ accessPoints: [], clock: "fast" });
    const values = { "wifi.ssid": network.ssid, "wifi.password": network.password };
    const board = new FirmwareBoard({ world: faraway, defaults: values });
    await board.waitFor(/Press Enter[^]*(step=defaults[^]*){3}/);
    const mark = board.said.length;
    board.type("\n");
    await board.waitFor(/Looking for networks[^]*No network is heard[^]*Number or name/, mark);
    await board.waitFor(/(step=defaults[^]*){2}/, board.said.length);
    t.true(board.joins.length >= 5, "its network is tried while somebody is asked");
    t.deepEqual(loadNetworks(board.store), []);
  },
);

test.serial("help explains, and the dialog goes on", async (t) => {
  const board = new FirmwareBoard({ world });
  await converse(
    board,
    [/Number or name[^\n]*: $/, "help\n"],
    [/Enter takes what stands in[^]*Number or name[^\n]*: $/, "?\n"],
    [/Ctrl-C leaves[^]*Number or name[^\n]*: $/, "\x03"],
  );
  await board.waitFor(/step=serial result=none[^]*Press Enter to set up/);
  t.is(board.said.split("Enter takes what stands in").length - 1, 2, "help and ? say the same");
});

test.serial("after a wrong password an empty answer chooses another network", async (t) => {
  const board = new FirmwareBoard({ world });
  await converse(
    board,
    [/Number or name[^\n]*: $/, "\n"], // the default: 1
    [/Password[^\n]*: $/, "not the password\n"],
    [/Password of "Broome"[^\n]*: $/, "\n"],
    [/Looking for networks[^]*Number or name[^\n]*: $/, "Open House\n"],
    [/Password[^\n]*empty for an open network[^\n]*: $/, "\n"],
    [/Connected[^]*Server[^\n]*\[none yet\]: $/, "\n"],
  );
  await board.waitFor(/Press Enter to set up the server/);
  t.deepEqual(
    loadNetworks(board.store).map(({ ssid }) => ssidText(ssid)),
    ["Open House"],
  );
});

test.serial(
  "a router that comes back while somebody is at the dialog brings the device online",
  async (t) => {
    const values = { "wifi.ssid": network.ssid, "wifi.password": network.password };
    const fast = worldOf({ accessPoints: [{ ...network, security: "wpa2", fail: "absent" }], clock: "fast" });
    const board = new FirmwareBoard({ world: fast, defaults: values });
    await converse(board, [/Press Enter/, "\n"]);
    await board.waitFor(/Number or name[^\n]*: $/);
    board.type("half a na");
    board.air.setFailure("Broome", undefined);
    await board.waitFor(/step=defaults result=online[^]*Connected meanwhile: 192/);
    t.deepEqual(
      loadNetworks(board.store).map(({ ssid }) => ssidText(ssid)),
      ["Broome"],
      "not what was half typed",
    );
  },
);

test.serial("what is said while a line is typed does not disturb it", async (t) => {
  const board = new FirmwareBoard({
    world,
    app: ({ log, timer }) => void timer.repeat(() => log("app", "tick"), 300),
  });
  await converse(board, [/Number or name[^\n]*: $/, "Open Ho"]);
  await board.waitFor(/app: tick\nNumber or name[^\n]*: Open Ho$/);
  board.type("use\n");
  await converse(board, [/Password[^\n]*: $/, "xyz"]);
  await board.waitFor(/app: tick\nPassword[^\n]*: \*\*\*$/);
  board.type("\x15\n");
  await board.waitFor(/Connected/);
  t.deepEqual(
    loadNetworks(board.store).map(({ ssid }) => ssidText(ssid)),
    ["Open House"],
  );
});

test.serial("500 access points, two of one name: the strongest twelve names, each once", async (t) => {
  const accessPoints = Array.from({ length: 500 }, (_, i) => {
    const number = i === 1 ? 0 : i;
    return { ssid: `net ${number}`, security: "open", rssi: -30 - Math.floor(i / 10) };
  });
  const board = new FirmwareBoard({ world: worldOf({ clock: "real", accessPoints }) });
  await board.waitFor(/Number or name[^\n]*: $/);
  const names = board.lines.filter((line) => /^ +\d+ {2}/.test(line)).map((line) => line.slice(5, 12).trim());
  t.is(new Set(names).size, names.length);
  t.is(names.length, 12);
});

test("a line is bounded, hidden where it is secret, and a character goes as a whole", (t) => {
  const echoed: number[] = [];
  const typed = (editor: LineEditor, text: string) =>
    [...new TextEncoder().encode(text)].map((byte) => editor.push(byte)).at(-1);
  const plain = new LineEditor(false, { onEcho: (bytes) => void echoed.push(...bytes) });
  t.is(typed(plain, "Caf\u00e9\u0008e\u001b\u0000\t"), "typing");
  t.is(new TextDecoder().decode(plain.bytes), "Cafe");
  t.is(typed(plain, "x".repeat(1000)), "typing");
  t.is(plain.bytes.length, MAX_LINE);
  t.is(typed(plain, "\r"), "done");
  t.is(typed(plain, "\x03"), "cancelled");
  echoed.length = 0;
  const secret = new LineEditor(true, { onEcho: (bytes) => void echoed.push(...bytes) });
  typed(secret, "p\u00e4ss");
  t.is(String.fromCharCode(...echoed), "****");
});

/** What stands in a terminal's line after these bytes. */
function screen(bytes: number[]): string {
  const line: string[] = [];
  let column = 0;
  for (const char of new TextDecoder().decode(Uint8Array.from(bytes))) {
    if (char === "\b") column = Math.max(0, column - 1);
    else line[column++] = char;
  }
  return `${line.slice(0, column).join("")}|${line.slice(column).join("")}`.trimEnd();
}

for (const [keys, line, shown] of [
  ["abc\x1b[D\x1b[DX", "aXbc", "aX|bc"],
  ["abc\x01X\x05Y", "XabcY", "XabcY|"],
  ["abc\x1b[HX\x1b[FY", "XabcY", "XabcY|"],
  ["abc\x1b[1~X\x1b[4~Y", "XabcY", "XabcY|"],
  ["one two\x17", "one ", "one |"],
  ["one\x15two", "two", "two|"],
  ["abcd\x1b[D\x1b[D\x1b[3~", "abd", "ab|d"],
  ["abcd\x1b[D\b", "abd", "ab|d"],
  ["h\u00e9\u00e9e\x1b[D\x7f\x7fX", "hXe", "hX|e"],
  ["a\x1b[D\x1b[D\x1b[C\x1b[Cb", "ab", "ab|"],
  ["a\x1b[A\x1b[B\x1b[15~\x1bOPb", "ab", "ab|"],
] as const)
  test(`line editing: ${JSON.stringify(keys)} leaves ${JSON.stringify(line)}`, (t) => {
    const echoed: number[] = [];
    const editor = new LineEditor(false, { onEcho: (bytes) => void echoed.push(...bytes) });
    for (const byte of new TextEncoder().encode(keys)) editor.push(byte);
    t.is(new TextDecoder().decode(editor.bytes), line);
    t.is(screen(echoed), shown);
    const stars: number[] = [];
    const secret = new LineEditor(true, { onEcho: (bytes) => void stars.push(...bytes) });
    for (const byte of new TextEncoder().encode(keys)) secret.push(byte);
    t.is(new TextDecoder().decode(secret.bytes), line);
    t.is(screen(stars), shown.replace(/[^|]/gu, "*").replace(/ /g, "*"));
  });

test("line editing: 200,000 keys at random never leave the line's bounds, and the screen shows the line", (t) => {
  const random = seededRandom(5);
  t.log(`seed ${random.seed}`);
  const echoed: number[] = [];
  const editor = new LineEditor(false, { onEcho: (bytes) => void echoed.push(...bytes) });
  const keys = [
    "a",
    "\u00e9",
    "\u{1f600}",
    " ",
    "\b",
    "\x1b[D",
    "\x1b[C",
    "\x1b[H",
    "\x1b[F",
    "\x1b[3~",
    "\x17",
    "\x15",
  ];
  for (let i = 0; i < 200_000; i += 1) {
    const key = keys[random.below(i % 7 === 0 ? keys.length : 7)]!;
    if (editor.bytes.length > MAX_LINE - 5) for (const byte of [0x05, 0x15]) editor.push(byte);
    for (const byte of new TextEncoder().encode(key)) editor.push(byte);
    if (i % 500 !== 0) continue;
    t.is(
      screen(echoed).replace("|", "").trimEnd(),
      new TextDecoder().decode(editor.bytes).trimEnd(),
      `seed ${random.seed}, ${i}`,
    );
    for (const byte of [0x05, 0x15]) editor.push(byte);
    echoed.length = 0;
  }
});
