// What `broome smartconfig` sends: from options, a file, the environment, and the person at the terminal.

import { readAnswers, type Given } from "../answers-file.js";
import { BroomeError } from "../error.js";
import { checkValue, refusalOf } from "../patch/values.js";
import { ask, askSecret, canAsk } from "../prompt.js";
import type { Extras } from "../smartconfig/reserved.js";
import type { Options } from "../verb.js";

/** What v2 alone carries: the options, and the keys of a file. */
const V2_OPTIONS = ["server", "joinKey", "key"];
const V2_KEYS = ["server.url", "join.key", "smartconfig.key"];

/** What a person reads before the question for the key, and where its answer is empty. */
const ABOUT_KEY = [
  'An ESP-Touch key seals what is sent: 16 characters that its maker patched into the device ("smartconfig.key").',
  "A device without one hears what is sent in the clear, as does everybody in range: leave it empty then.",
];
const NO_JOIN_KEY =
  "No join key is asked for: without an ESP-Touch key it would go through the air in the clear. Where none is in the device's image, its serial dialog asks for it.";

export interface Wanted extends Extras {
  readonly ssid: string;
  readonly password: string;
  /** v2's AES key, 16 bytes. */
  readonly key: Uint8Array | undefined;
}

/** Asks for what is missing where somebody is there. @throws BroomeError `usage`, `value-missing`, `value-invalid`, and of the file */
export async function wantedOf(
  options: Options,
  version: 1 | 2,
  note: (line: string) => void,
): Promise<Wanted> {
  if (typeof options.key === "string")
    throw new BroomeError(
      "secret-on-command-line",
      "a key behind --key would be readable by every process of this machine",
      "Give --key alone and answer the prompt, use --from FILE, or set BROOME_SMARTCONFIG_KEY.",
    );
  const given = options.from === undefined ? {} : readAnswers(String(options.from));
  if (version === 1) refuseExtras(options);
  const asked = (options.ssid ?? given["wifi.ssid"]) === undefined;
  const network = await networkOf(options, given);
  if (version === 2) return { ...network, ...(await extrasOf(options, given, asked, note)) };
  const left = V2_KEYS.filter((key) => key in given);
  if (left.length > 0) note(`ESP-Touch v1 carries the network alone; not sent: ${left.join(", ")}`);
  return { ...network, server: undefined, joinKey: undefined, key: undefined };
}

function refuseExtras(options: Options): void {
  if (!V2_OPTIONS.some((name) => options[name] !== undefined)) return;
  throw new BroomeError(
    "usage",
    "ESP-Touch v1 carries the network alone: no server, no keys",
    "Leave --v1 out, or name the server in the device's dialog, or with `broome setup`.",
  );
}

async function networkOf(options: Options, given: Given): Promise<{ ssid: string; password: string }> {
  const ssid = options.ssid ?? given["wifi.ssid"];
  const password = process.env.BROOME_WIFI_PASSWORD ?? given["wifi.password"];
  if (!canAsk() && (ssid === undefined || password === undefined))
    throw missing(
      ssid === undefined ? "the network's name" : "the password",
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

/** `asked`: a person answers, so the rest is asked for too. */
async function extrasOf(
  options: Options,
  given: Given,
  asked: boolean,
  note: (line: string) => void,
): Promise<Extras & { key: Uint8Array | undefined }> {
  const server = checked(
    "server.url",
    options.server ??
      given["server.url"] ??
      (asked
        ? await ask("Server, as http://host:3000/#pin (empty: none now)", "", refusing("server.url"))
        : ""),
  );
  const known = process.env.BROOME_SMARTCONFIG_KEY ?? given["smartconfig.key"];
  if (known === undefined && asked) for (const line of ABOUT_KEY) note(line);
  const key = checked(
    "smartconfig.key",
    known ?? (await secretOf("smartconfig.key", "The device's ESP-Touch key", options.key === true, asked)),
  );
  if (asked && server !== undefined && key === undefined) note(NO_JOIN_KEY);
  const offered = server === undefined ? undefined : process.env.BROOME_JOIN_KEY;
  const joinKey = checked(
    "join.key",
    offered ??
      given["join.key"] ??
      (await secretOf("join.key", "Join key", options.joinKey === true, asked && !!server && !!key)),
  );
  return { server, joinKey, key: key === undefined ? undefined : Buffer.from(key, "latin1") };
}

/** Hidden; "" where nobody wants it. @throws BroomeError `value-missing` where it is wanted and nobody is there */
async function secretOf(key: string, title: string, wanted: boolean, asked: boolean): Promise<string> {
  if (!wanted && !asked) return "";
  if (!canAsk()) throw missing(title, `Put "${key}" into the file of --from.`);
  return askSecret(`${title}${wanted ? "" : " (empty: none)"}`, (answer) =>
    answer === "" && wanted ? "it was asked for" : refusalOf(key, answer),
  );
}

/** As `patch` would take it; undefined where it is empty. @throws BroomeError `value-invalid`, `value-too-long`, without the value */
function checked(key: string, value: unknown): string | undefined {
  const good = checkValue(key, value);
  return good === undefined ? undefined : String(good);
}

const refusing = (key: string) => (answer: string) => refusalOf(key, answer);

function missing(what: string, help: string): BroomeError {
  return new BroomeError("value-missing", `${what} is missing, and nobody is there to type it`, help);
}
