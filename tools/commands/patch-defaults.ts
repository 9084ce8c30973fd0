// `broome patch` on an image of ours: values for its defaults block, asked for, registered with a server, shown.

import type { Defaults } from "../../firmware/format/defaults-block.js";
import { adminClient, ownServer } from "../admin-client.js";
import { sha256 } from "../build/virtual-image.js";
import { readAnswers, type Given } from "../answers-file.js";
import { BroomeError } from "../error.js";
import { personalise, valuesOf, type Personal } from "../patch/patch.js";
import { defaultsKeys, keyOf, maskValue, mergeValues, refusalOf } from "../patch/values.js";
import { ask, askSecret, canAsk } from "../prompt.js";
import type { Context, Options } from "../verb.js";
import { nobodyToAsk, readSettings, secretsOfEnvironment } from "./patch-answers.js";
import type { PatchResult } from "./patch-result.js";

/** The values of the options and of the person, in the image. */
export async function patchDefaults(
  context: Context,
  personal: Personal,
  options: Options,
): Promise<PatchResult> {
  const set = readSettings((options.set as string[] | undefined) ?? [], (key) => keyOf(key).secret === true);
  const given = options.from === undefined ? {} : readAnswers(options.from as string);
  Object.assign(given, set);
  const blank = options.blank === true;
  const before: Defaults = blank ? {} : valuesOf(personal);
  if (!blank || Object.keys(given).length > 0)
    for (const [key, name] of secretsOfEnvironment)
      if (process.env[name] !== undefined && !(key in given)) given[key] = process.env[name];
  const asked = await complete(context, options, given, before);
  const values = mergeValues(before, given);
  let patched = personalise(personal, values, sha256);
  if (options.register === true) {
    // only now is a server told of a device: everything else is right
    Object.assign(values, await register(context, options, String(values["device.name"] ?? "")));
    patched = personalise(personal, values, sha256);
  }
  const count = Object.keys(values).length;
  return {
    ...{ patched, asked, fields: {} },
    secret: Object.keys(values).some((key) => keyOf(key).secret),
    summary: count === 1 ? "1 value" : `${count} values`,
  };
}

/** The values in the image, secrets masked. */
export function showDefaults(context: Context, path: string, personal: Personal): Record<string, unknown> {
  const values = Object.entries(valuesOf(personal));
  const masked = values.map(([key, value]) => [key, maskValue(key, value)] as const);
  if (masked.length === 0) context.log(`${path}: the defaults block is blank`);
  for (const [key, value] of masked) context.log(`${key} = ${value}`);
  return { image: path, values: Object.fromEntries(masked), changed: [] };
}

/** Asks for what is missing: everything where nothing was given, the password where only the network was. True where it asked. */
async function complete(
  context: Context,
  options: Options,
  given: Given,
  before: Defaults,
): Promise<boolean> {
  const nothing = Object.keys(given).length === 0;
  if (nothing && (options.blank === true || options.register === true)) return false;
  if (!canAsk()) {
    if (!nothing) return false;
    throw nobodyToAsk();
  }
  const asked = defaultsKeys.filter(({ key, asked }) =>
    nothing ? asked : key === "wifi.password" && "wifi.ssid" in given && !(key in given) && !(key in before),
  );
  for (const { key, title, secret, asked: when } of asked) {
    if (typeof when === "object" && (given[when.without] ?? "") !== "") continue;
    const present =
      before[key] ??
      (key === "server.url" ? await ownServer(context, options, (url) => !refusalOf(key, url)) : undefined);
    const refuse = (answer: string) => refusalOf(key, answer);
    if (!secret) given[key] = await ask(title, present === undefined ? "" : String(present), refuse);
    else {
      const shown = present === undefined ? "" : ` [${maskValue(key, present)}]`;
      const answer = await askSecret(`${title}${shown}`, refuse);
      // an empty password is an open network's; without a network it is none
      const leftOut =
        present !== undefined || (key === "wifi.password" && !(given["wifi.ssid"] ?? before["wifi.ssid"]));
      if (answer !== "" || !leftOut) given[key] = answer;
    }
  }
  return asked.length > 0;
}

/** PROTOCOL section 2, "pre-registration": the device needs no handshake and no approval. */
async function register(
  context: Context,
  options: Options,
  name: string,
): Promise<{ "device.id": string; "device.key": string }> {
  const client = adminClient(context, options);
  const body = await client.request<{ id?: unknown; key?: unknown } | undefined>(
    "POST",
    "/api/devices",
    name === "" ? {} : { name },
  );
  if (typeof body?.id !== "string" || typeof body.key !== "string")
    throw new BroomeError(
      "server-refused",
      `${client.url}/api/devices answered without a device's id and key`,
      "Is this the admin listener of a Broome server?",
    );
  context.log(`registered ${body.id}${name === "" ? "" : ` (${name})`}`);
  const values = mergeValues({}, { "device.id": body.id, "device.key": body.key });
  return values as { "device.id": string; "device.key": string };
}
