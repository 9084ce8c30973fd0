// `broome patch`: puts credentials and settings into a finished image.

import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { addAdminOptions, adminClient } from "../admin-client.js";
import { sha256 } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import { patch, readValues } from "../patch/patch.js";
import { checkValue, defaultsKeys, keyOf, maskValue, mergeValues } from "../patch/values.js";
import { ask, askSecret, canAsk, choose } from "../prompt.js";
import type { Context, Options, Verb } from "../verb.js";
import type { Defaults } from "../../firmware/format/defaults-block.js";
import { decodeUtf8 } from "../../firmware/format/utf8.js";

type Given = Record<string, unknown>;

/** Secrets may come from the environment, where other users of the machine cannot read them. */
const environment: readonly [key: string, name: string][] = [
  ["wifi.password", "BROOME_WIFI_PASSWORD"],
  ["join.key", "BROOME_JOIN_KEY"],
];

export const verb: Verb = {
  name: "patch",
  summary: "put credentials and settings into a finished image",
  configure(command) {
    command
      .argument("[image]", "app.bin, or the folder of a build (default: a menu of the .bin files here)")
      .option("-o, --out <file>", "where the result goes (default: IMAGE_patched.bin)")
      .option("--from <file>", "JSON file of keys and values; null takes a key out")
      .option("--set <key=value>", "one value, not a secret; an empty value takes the key out", append)
      .option("--show", "show what is in the image, secrets masked, and write nothing")
      .option("--blank", "take out what is in the image first")
      .option(
        "--register",
        "register the device at --server and put its id and key in (needs the admin token)",
      );
    addAdminOptions(command);
  },
  run: runPatch,
};

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

async function runPatch(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const set = readSettings((options.set as string[] | undefined) ?? []);
  const path = await findImage(context, args[0]);
  const image = readImage(path);
  const present = readValues(image, { sha256 });
  if (options.show === true) return show(context, path, present);

  const given = options.from === undefined ? {} : readAnswers(options.from as string);
  Object.assign(given, set);
  const before: Defaults = options.blank === true ? {} : present;
  if (options.blank !== true || Object.keys(given).length > 0)
    for (const [key, name] of environment)
      if (process.env[name] !== undefined && !(key in given)) given[key] = process.env[name];
  const silent = options.blank === true || options.register === true;
  await complete(given, before, silent);
  const values = mergeValues(before, given);
  patch(image, values, { sha256 }); // before a server is told of a device: everything else must be right
  if (options.register === true)
    Object.assign(values, await register(context, options, String(values["device.name"] ?? "")));

  const out = outputOf(context, path, options.out as string | undefined);
  const patched = patch(image, values, { sha256 });
  context.signal.throwIfAborted();
  writePrivately(out, patched.image);
  context.chain.image = out;
  context.log(
    `${out}: ${Object.keys(values).length} values, ${patched.changed.map(({ what }) => what).join(", ") || "nothing"} changed`,
  );
  if (Object.keys(values).some((key) => keyOf(key).secret))
    context.log("  It holds credentials: keep it to yourself. Releases are published from the blank image.");
  return { out, changed: patched.changed };
}

// ---- what to patch ----

async function findImage(context: Context, argument: string | undefined): Promise<string> {
  const given = argument ?? context.chain.image ?? context.chain.dir;
  if (given !== undefined) {
    const path = resolve(given);
    return isFolder(path) ? join(path, "app.bin") : path;
  }
  const files = readdirSync(".").filter((name) => name.endsWith(".bin") && !isFolder(name));
  if (!canAsk() || files.length === 0)
    throw new BroomeError(
      "usage",
      files.length === 0 ? "no image given, and no .bin file here" : "no image given",
      "Give one: broome patch build/esp32c3/app.bin",
    );
  return resolve(await choose("Which image?", files.sort()));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function readImage(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): BroomeError {
  return new BroomeError("file-unreadable", `${path}: ${(cause as Error).message}`, "Check the name.", {
    cause,
  });
}

/** IMAGE_patched.bin beside it; in a chain, app_patched.bin of the folder just built. */
function outputOf(context: Context, path: string, out: string | undefined): string {
  const result = resolve(
    out ?? (path.endsWith(".bin") ? `${path.slice(0, -4)}_patched.bin` : `${path}_patched.bin`),
  );
  if (!sameFile(result, path)) return result;
  throw new BroomeError(
    "usage",
    `${result} is the input`,
    "Give another name with -o: the blank image is what you publish.",
  );
}

function sameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false }));
  return a === b || (one !== undefined && one.ino === other?.ino && one.dev === other.dev);
}

// ---- what to put in ----

function readSettings(pairs: readonly string[]): Given {
  const given: Given = {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const key = at < 0 ? pair : pair.slice(0, at);
    if (keyOf(key).secret)
      throw new BroomeError(
        "secret-on-command-line",
        `--set ${key} would be readable by every process of this machine`,
        "Leave it out and answer the prompt, use --from FILE, or set BROOME_WIFI_PASSWORD or BROOME_JOIN_KEY.",
      );
    if (at < 0) throw new BroomeError("usage", `--set ${pair}: no "="`, "Write --set KEY=VALUE.");
    given[key] = pair.slice(at + 1);
  }
  return given;
}

/** A flat JSON object of keys and values. */
function readAnswers(path: string): Given {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const text = decodeUtf8(bytes);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    // JSON.parse's message quotes the file, and the file holds secrets
    throw new BroomeError("answers-invalid", `${path} is not JSON`, 'Write {"wifi.ssid": "...", ...}.', {
      cause,
    });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new BroomeError(
      "answers-invalid",
      `${path} holds no JSON object`,
      'Write {"wifi.ssid": "...", ...}.',
    );
  return { ...json };
}

/** Asks for what is missing: everything where nothing was given, the password where only the network was. */
async function complete(given: Given, before: Defaults, silent: boolean): Promise<void> {
  const nothing = Object.keys(given).length === 0;
  if (nothing && silent) return;
  if (!canAsk()) {
    if (!nothing) return;
    throw new BroomeError(
      "usage",
      "no values given, and nobody to ask: this is no terminal",
      "Give --from FILE.json, --set KEY=VALUE or --blank.",
    );
  }
  const asked = defaultsKeys.filter(({ key, asked }) =>
    nothing ? asked : key === "wifi.password" && "wifi.ssid" in given && !(key in given) && !(key in before),
  );
  for (const { key, title, secret } of asked) {
    const present = before[key];
    const refuse = (answer: string) => refusal(key, answer);
    if (!secret) given[key] = await ask(title, present === undefined ? "" : String(present), refuse);
    else {
      const shown = present === undefined ? "" : ` [${maskValue(key, present)}]`;
      const answer = await askSecret(`${title}${shown}`, refuse);
      if (answer !== "" || present === undefined) given[key] = answer;
    }
  }
}

function refusal(key: string, answer: string): string | undefined {
  try {
    checkValue(key, answer);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
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

// ---- results ----

function show(context: Context, path: string, values: Defaults): Record<string, unknown> {
  const masked = Object.entries(values).map(([key, value]) => [key, maskValue(key, value)] as const);
  if (masked.length === 0) context.log(`${path}: the defaults block is blank`);
  for (const [key, value] of masked) context.log(`${key} = ${value}`);
  return { image: path, values: Object.fromEntries(masked), changed: [] };
}

/** Whole or not at all, and for its owner's eyes. */
function writePrivately(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeFileSync(file, bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    throw new BroomeError(
      "file-unwritable",
      `${path}: ${(cause as Error).message}`,
      "Choose another place with -o.",
      { cause },
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}
