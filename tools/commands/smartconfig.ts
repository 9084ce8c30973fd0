// `broome smartconfig`: gives a device in range its Wi-Fi by ESP-Touch, as Espressif's phone apps do.

import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { readAnswers } from "../answers-file.js";
import { BroomeError } from "../error.js";
import { ask, askSecret, canAsk } from "../prompt.js";
import type { Credentials } from "../smartconfig/credentials.js";
import { v1Schedule, v2Schedule } from "../smartconfig/schedule.js";
import { send } from "../smartconfig/sender.js";
import { dataLengths } from "../smartconfig/v1.js";
import { roundLengths } from "../smartconfig/v2.js";
import type { Options, Verb } from "../verb.js";

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
      .option("--from <file>", "JSON file with wifi.ssid and wifi.password (or BROOME_WIFI_PASSWORD)")
      .option("--v1", "ESP-Touch v1: ESP8266, and older firmware")
      .option("--v2", "ESP-Touch v2 (default)")
      .option("--address <a>", "broadcast or multicast address to send to", EVERYBODY)
      .option("--timeout <seconds>", "how long to try", String(DEFAULT_TIMEOUT_S));
  },
  async run(context, _args, options) {
    if (options.v1 && options.v2)
      throw new BroomeError("usage", "--v1 or --v2, not both", "v1 is for the ESP8266.");
    const { ssid, password } = await networkOf(options);
    const credentials: Credentials = {
      ssid: Buffer.from(ssid),
      password: Buffer.from(password),
      bssid: bssidOf(String(options.bssid)),
    };
    const version = options.v1 ? 1 : 2;
    const own = ownAddress(String(options.address));
    const random = (length: number) => new Uint8Array(randomBytes(length));
    context.log(`Sending ESP-Touch v${version} for "${ssid}" to ${String(options.address)} ...`);
    const answered = await send({
      address: String(options.address),
      datagrams: (portMark) =>
        version === 1
          ? v1Schedule(dataLengths(credentials, own))
          : v2Schedule(roundLengths(credentials, { portMark, random })),
      anyPort: version === 2,
      timeoutMs: secondsOf(options) * 1000,
      signal: context.signal,
    });
    context.log(`${answered.mac} is on line at ${answered.ip}.`);
    return { ssid, ...answered };
  },
};

async function networkOf(options: Options): Promise<{ ssid: string; password: string }> {
  const given = options.from === undefined ? {} : readAnswers(String(options.from));
  const ssid = options.ssid ?? given["wifi.ssid"];
  const password = process.env.BROOME_WIFI_PASSWORD ?? given["wifi.password"];
  if (!canAsk() && (ssid === undefined || password === undefined))
    throw new BroomeError(
      "value-missing",
      `${ssid === undefined ? "the network's name" : "the password"} is missing, and nobody is there to type it`,
      "Give --ssid and BROOME_WIFI_PASSWORD, or --from FILE.",
    );
  const fine = () => undefined;
  return {
    ssid: String(
      ssid ?? (await ask("Network (2.4 GHz)", "", (text) => (text === "" ? "It has a name." : undefined))),
    ),
    password: String(password ?? (await askSecret("Password", fine))),
  };
}

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
