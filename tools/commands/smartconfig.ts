// `broome smartconfig`: gives a device in range its Wi-Fi by ESP-Touch, as Espressif's phone apps do.

import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { BroomeError } from "../error.js";
import type { Credentials } from "../smartconfig/credentials.js";
import { reservedOf } from "../smartconfig/reserved.js";
import { v1Schedule, v2Schedule } from "../smartconfig/schedule.js";
import { send } from "../smartconfig/sender.js";
import { dataLengths } from "../smartconfig/v1.js";
import { roundLengths } from "../smartconfig/v2.js";
import type { Options, Verb } from "../verb.js";
import { wantedOf } from "./smartconfig-answers.js";

const EVERYBODY = "255.255.255.255";
const DEFAULT_TIMEOUT_S = 90;
const UNKNOWN_BSSID = "00:00:00:00:00:00";

export const verb: Verb = {
  name: "smartconfig",
  summary: "give a device its Wi-Fi through the air (ESP-Touch)",
  configure(command) {
    command
      .option("--ssid <name>", "the network, on 2.4 GHz; asked for otherwise")
      .option("--bssid <address>", "of its access point, where there are several of one name", UNKNOWN_BSSID)
      .option(
        "--from <file>",
        "JSON file with wifi.ssid, wifi.password, server.url, join.key, smartconfig.key (or BROOME_WIFI_PASSWORD, ...)",
      )
      .option("--key [none]", "ask for the device's ESP-Touch key: what is sent is sealed for it")
      .option("--join-key", "ask for a join key of the server")
      .option("--v1", "ESP-Touch v1: ESP8266, and older firmware")
      .option("--v2", "ESP-Touch v2 (default)")
      .option("--address <a>", "broadcast or multicast address to send to", EVERYBODY)
      .option("--timeout <seconds>", "how long to try", String(DEFAULT_TIMEOUT_S));
    // Every verb has --server; this one talks to none.
    const server = command.options.find(({ long }) => long === "--server");
    if (server) server.description = "the server that the device shall join, http://host:3000/#pin (v2)";
  },
  async run(context, _args, options) {
    if (options.v1 && options.v2)
      throw new BroomeError("usage", "--v1 or --v2, not both", "v1 is for the ESP8266.");
    const version = options.v1 ? 1 : 2;
    const { ssid, password, key, ...extras } = await wantedOf(options, version, (line) => context.log(line));
    const reserved = reservedOf(extras, key !== undefined);
    const credentials: Credentials = {
      ssid: Buffer.from(ssid),
      password: Buffer.from(password),
      bssid: bssidOf(String(options.bssid)),
    };
    const own = ownAddress(String(options.address));
    const random = (length: number) => new Uint8Array(randomBytes(length));
    context.log(`Sending ESP-Touch v${version} for "${ssid}" to ${String(options.address)} ...`);
    if (key) context.log("Sealed: a device without this key does not hear it.");
    const answered = await send({
      address: String(options.address),
      datagrams: (portMark) =>
        version === 1
          ? v1Schedule(dataLengths(credentials, own))
          : v2Schedule(
              roundLengths(credentials, {
                portMark,
                random,
                ...(key && { key }),
                ...(reserved && { reserved }),
              }),
            ),
      anyPort: version === 2,
      timeoutMs: secondsOf(options) * 1000,
      signal: context.signal,
    });
    context.log(`${answered.mac} is on line at ${answered.ip}.`);
    if (extras.server !== undefined && extras.joinKey !== undefined)
      context.log("It asks that server to take it in: approve it on the server's page.");
    if (extras.server !== undefined && extras.joinKey === undefined)
      context.log(
        "It has no join key from here: where none is in its image, its serial dialog asks for one.",
      );
    return { ssid, ...answered, ...(extras.server !== undefined && { server: extras.server }) };
  },
};

function bssidOf(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text))
    throw new BroomeError("value-invalid", `"${text}" is no BSSID`, "Write it as aa:bb:cc:dd:ee:ff.");
  return Uint8Array.from(text.split(":"), (byte) => parseInt(byte, 16));
}

function secondsOf(options: Options): number {
  const seconds = Number(options.timeout);
  if (!(seconds > 0 && seconds <= 3600))
    throw new BroomeError(
      "value-invalid",
      `--timeout ${options.timeout} is no number of seconds`,
      "1 to 3600.",
    );
  return seconds;
}

/** Where v1's device sends its answer: this computer's address in the network that is sent to. */
function ownAddress(target: string): Uint8Array {
  const all = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family }) => family === "IPv4");
  const loopback = target.startsWith("127.");
  const own = all.find(({ internal }) => internal === loopback) ?? all[0];
  return Uint8Array.from((own?.address ?? "127.0.0.1").split("."), Number);
}
