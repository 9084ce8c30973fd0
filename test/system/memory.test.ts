// The memory of the device, 32 KB of arena and 256 slots of stack, on every way that leads to a server, through join, syncs and an
// update: of both a part is left, for the maker's app and for paths that no test takes.

import test, { type ExecutionContext } from "ava";
import { Command, encodeFrame, FrameType } from "../../firmware/protocol/improv.js";
import { encodeReserved } from "../../firmware/protocol/reserved-data-writer.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import type { Service } from "../../tools/demo/child.js";
import type { UartLog } from "../../tools/demo/uart-log.js";
import { askBoard } from "../../tools/simulator/control.js";
import { deaf, network, Rig, type Server } from "./rig.js";
import { flashFile } from "./flash-file.js";
import type { Conversation } from "../support/conversation.js";

const ARENA = 32768; // bytes: the ESP8266's `static`
const MOST = 26 * 1024; // bytes of it
const SLOTS = 230; // 90 % of 256: a path that needs more ends in "stack overflow", with the names of who called
const TIMEOUT_MS = 120_000;
const KEY = "MyEncryptionKey0";
const HOST = "0123456789-as-long-as-a-name-is";
const MISTYPED = "cable-beech-6725";
/** The trial of an update is not what is looked at here: it may be short. */
const trial = { "trial.uptimeMs": 1500, "trial.deadlineMs": 5000 };

/** As many neighbours as a scan of the virtual board tells of, their names as long as can be. */
const neighbours = Array.from({ length: 20 }, (_, i) => ({
  ssid: `A neighbour's name: ${String(i).padStart(2, "0")} of twenty`,
  password: "x".repeat(63),
  rssi: -70 - i,
}));
const crowded = { ...deaf, accessPoints: [...deaf.accessPoints, ...neighbours] };
const phone = { via: network.ssid, ...network };

const rig = new Rig();
let server: Server;
let built: string;

test.before(async () => {
  await rig.verb("keys", "init", "--demo");
  server = await rig.serve();
  built = await rig.build("1.0.0");
  await rig.asAdmin(server, "release", "publish", await rig.build("1.0.1"));
});
test.after.always(() => rig.end());

interface Way {
  values(): Record<string, unknown>;
  /** Networks that the store holds already, newest first. */
  stored?: readonly { ssid: string; password: string }[];
  phones?(): object[];
  /** That the router is to hear; default: the board's own. */
  hostName?: string;
  /** What is done by hand, from the reset until the board has its server. */
  hands?(board: Conversation, log: UartLog): Promise<void>;
}

/** A board that is on line and knows no server is told one. */
async function nameServer(hand: Conversation): Promise<void> {
  await hand.answer(/Press Enter to set up the server\.\n$/, "");
  await enterServer(hand);
}

async function enterServer(hand: Conversation): Promise<void> {
  await hand.answer(/Server[^\n]*: $/, "not a server");
  await hand.answer(/That cannot be[^]*Server[^\n]*: $/, "http://127.0.0.1:9/");
  await hand.answer(/Nothing answers[^]*Server[^\n]*: $/, server.deviceUrl);
  await hand.answer(/Join key[^\n]*: $/, "not a key");
  await hand.answer(/That cannot be[^]*Join key[^\n]*: $/, server.joinKey);
}

async function talk(hand: Conversation): Promise<void> {
  await hand.answer(/Number or name[^\n]*: $/, "0");
  await hand.answer(/Number or name[^\n]*: $/, "1");
  await hand.answer(/Password[^\n]*: $/, "short");
  await hand.answer(/That cannot be[^]*Password of "Broome"[^\n]*: $/, ""); // another network
  await hand.answer(/Number or name[^\n]*: $/, "1");
  await hand.answer(/Password[^\n]*: $/, "short");
  await hand.answer(/That cannot be[^]*Password of "Broome"[^\n]*: $/, "not the password");
  await hand.answer(/\[wrong-password[^]*Password of "Broome"[^\n]*: $/, "");
  await hand.answer(/Number or name[^\n]*: $/, network.ssid);
  await hand.answer(/Password[^\n]*: $/, network.password);
  await enterServer(hand);
}

/** As ESP Web Tools does it, a mistyped password before the right one; the board's dialog waits meanwhile. */
async function improv(hand: Conversation, log: UartLog): Promise<void> {
  const rpc = (command: number, data: readonly number[] = []) =>
    hand.send(encodeFrame(FrameType.rpc, Uint8Array.of(command, data.length, ...data)));
  const join = (password: string) => {
    const fields = [network.ssid, password].map((text) => [text.length, ...Buffer.from(text)]);
    return rpc(Command.sendWifi, fields.flat());
  };
  const shown = /Number or name[^\n]*: $/; // again, behind each answer
  await hand.asked(shown);
  for (const [command, text] of [
    [Command.state, ""],
    [Command.info, ""],
    [Command.hostname, HOST],
  ] as const) {
    await rpc(command, [...Buffer.from(text)]);
    await hand.asked(shown);
  }
  await rpc(Command.scan);
  await hand.asked(/A neighbour[^]*Number or name[^\n]*: $/);
  await join(MISTYPED);
  await log.waitFor(/step=improv result=wrong-password/, TIMEOUT_MS);
  await join(network.password);
  await log.waitFor(/step=improv result=online/, TIMEOUT_MS);
  await nameServer(hand);
}

const ways: Record<string, Way> = {
  "credentials in the image": { values: () => rig.values(server) },
  "eight stored networks, the seven others first": {
    values: () => ({ ...trial, "server.url": server.deviceUrl, "join.key": server.joinKey }),
    stored: [
      ...neighbours.slice(0, 7).map(({ ssid }) => ({ ssid, password: "mistyped".repeat(7) })),
      network,
    ],
  },
  "the dialog, with every answer mistyped once": { values: () => trial, hands: talk },
  "Improv, then the dialog for the server": { values: () => trial, hands: improv, hostName: HOST },
  "SmartConfig v1, then the dialog for the server": {
    values: () => trial,
    phones: () => [
      { ...phone, sends: "v1", at: 1_000, password: MISTYPED, forMs: 12_000 },
      { ...phone, sends: "v1", at: 14_000 },
    ],
    hands: nameServer,
  },
  "SmartConfig v2 with server, pin and join key": {
    values: () => ({ ...trial, "smartconfig.key": KEY }),
    phones() {
      const data = { server: parseServerUrl(server.deviceUrl), joinKey: server.joinKey };
      const reserved = Buffer.from(encodeReserved(data)).toString("hex");
      const notOurs = "b1ff00".padEnd(128, "5a");
      return [
        { ...phone, at: 3_000, password: MISTYPED, reserved: notOurs, forMs: 20_000 },
        { ...phone, at: 23_000, key: KEY, reserved },
      ];
    },
  },
};

for (const [name, way] of Object.entries(ways))
  test(`${name}: join, syncs and an update take at most 26 KB of an ESP8266's 32`, async (t) => {
    const file = name.replaceAll(/\W+/g, "-");
    flashFile(rig, file, { built, app: await rig.patch(built, way.values()), stored: way.stored ?? [] });
    const air = { ...crowded, phones: way.phones?.() ?? [] };
    const board = await rig.board(file, ["--stack", String(SLOTS)], air);
    const log = await rig.listen(board, true);
    t.teardown(() => log.lines.filter((line) => /panic'ed/.test(line)).forEach((line) => t.log(line)));
    await way.hands?.(rig.talk(log), log);
    const deviceid = await rig.approve(server, log);
    await rig.readings(server, deviceid, (names) => names.length >= 6);
    await server.admin.call("POST", `/api/devices/${deviceid}/ota`, {});
    await log.waitFor(/boot: slot=ota_1 version=1\.0\.1 cause=ota/, TIMEOUT_MS);
    await log.waitFor(/ota: state=confirmed/, TIMEOUT_MS);
    await fits(t, board, way.hostName ?? `broome-example-${board.first.mac!.replaceAll(":", "").slice(-6)}`);
    await log.detach();
    await board.end();
  });

interface Pool {
  peak: Record<string, number>;
  limit: number;
}

/** Prints the peaks by phase, and looks whether the board ever crashed. */
async function fits(t: ExecutionContext, board: Service, hostName: string): Promise<void> {
  const status = await askBoard(board.first.control!, { op: "status" });
  const { arena, stack } = status as unknown as { arena: Pool; stack: Pool };
  t.log(JSON.stringify({ bytes: arena.peak, slots: stack.peak }));
  t.is(status.lastCrash, undefined);
  t.is(status.hostName, hostName, "as the router has it");
  t.is(stack.limit, SLOTS);
  t.deepEqual(Object.keys(arena.peak).sort(), ["boot", "join", "ota", "sync"]);
  const scale = arena.limit / ARENA; // 2 on a 64-bit engine
  for (const [phase, peak] of Object.entries(arena.peak))
    t.true(peak <= MOST * scale, `${phase}: ${peak} of ${MOST * scale}`);
}
