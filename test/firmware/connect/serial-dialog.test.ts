// The line dialog on the UART: what a person sees, types, and gets; and what they cannot break.

import test from "ava";
import { once } from "node:events";
import { createServer } from "node:net";
import { LineEditor, MAX_LINE } from "../../../firmware/connect/line-editor.js";
import { loadNetworks, ssidText } from "../../../firmware/connect/networks.js";
import { getRecord } from "../../../firmware/store/json-record.js";
import { SERVER } from "../../../firmware/store/keys.js";
import { FirmwareBoard, network, worldOf } from "../../support/firmware-board.js";

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
        / 1 {2}Broome +-\d+ dBm {2}wpa2\n +2 {2}Open House +-\d+ dBm {2}open\n[^]*Number or name[^\n]*: $/,
        "1\r\n",
      ],
      [/Password[^\n]*: $/, "not the password\r"],
      [/not accepted\. \[wrong-password \(\d+\)\]\n[^]*Number[^\n]*: $/, "1\n"],
      [/Password[^\n]*: $/, `xx\b\x7f${network.password}\n`],
      [/Connected: 192[^]*Server[^\n]*: $/, "http://127.0.0.1:1/\n"],
      [/Nothing answers there[^]*Server[^\n]*: $/, "https://x/\n"],
      [/TLS is not offered[^]*Server[^\n]*: $/, `${url}\n`],
      [/Join key[^\n]*: $/, "short\n"],
      [/a join key has 30 characters[^]*Join key[^\n]*: $/, `${KEY}\n`],
    );
    await board.waitFor(/step=serial result=online ms=\d+/);
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

test.serial(
  "a network by name; Ctrl-C leaves; a nameless, over-long or short answer is said to be wrong",
  async (t) => {
    const board = new FirmwareBoard({ world });
    await converse(
      board,
      [/Number or name[^\n]*: $/, `${"n".repeat(40)}\n`],
      [/Password[^\n]*: $/, "\n"],
      [/1 to 32 bytes[^]*Number or name[^\n]*: $/, "Broome\n"],
      [/Password[^\n]*: $/, "short\n"],
      [/8 to 63 bytes[^]*Number or name[^\n]*: $/, "\x03"],
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
    t.pass();
  },
);

test("a line is bounded, hidden where it is secret, and a character goes as a whole", (t) => {
  const echoed: number[] = [];
  const typed = (editor: LineEditor, text: string) =>
    [...new TextEncoder().encode(text)].map((byte) => editor.push(byte)).at(-1);
  const plain = new LineEditor({ hidden: false, echo: (bytes) => echoed.push(...bytes) });
  t.is(typed(plain, "Caf\u00e9\u0008e\u001b\u0000\t"), "typing");
  t.is(new TextDecoder().decode(plain.bytes), "Cafe");
  t.is(typed(plain, "x".repeat(1000)), "typing");
  t.is(plain.bytes.length, MAX_LINE);
  t.is(typed(plain, "\r"), "done");
  t.is(typed(plain, "\x03"), "cancelled");
  echoed.length = 0;
  const secret = new LineEditor({ hidden: true, echo: (bytes) => echoed.push(...bytes) });
  typed(secret, "p\u00e4ss");
  t.is(String.fromCharCode(...echoed), "****");
});
