// `broome dashboards`: a folder of dashboard templates, personalised into another folder.

import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { encodeUtf8 } from "../../firmware/format/utf8.js";
import { readAnswers } from "../answers-file.js";
import { BroomeError } from "../error.js";
import {
  MAX_DASHBOARD_SIZE,
  personaliseDashboard,
  refuseReplacement,
  type Personalised,
} from "../patch/dashboard.js";
import { readNamedText, sameFile } from "../named-file.js";
import { writePrivately } from "../private-file.js";
import { ask, canAsk } from "../prompt.js";
import type { Context, Options, Verb } from "../verb.js";
import { readSettings } from "./patch-answers.js";

/** The words of Thinger.io's templates that ESP_Binary_patcher distributes, asked for where nothing was given. */
const usualWords: readonly [word: string, title: string][] = [
  ["Cloudname", "Cloud user name"],
  ["Device", "Device name"],
];

interface Template extends Personalised {
  readonly path: string;
}

export const verb: Verb = {
  name: "dashboards",
  summary: "put names into dashboard templates (.json, .h), in another folder",
  configure(command) {
    command
      .argument("<folder>", "the templates")
      .option("--set <word=value>", "a whole word in their texts, and what takes its place", append)
      .option("--from <file>", "JSON file of words and values")
      .requiredOption("-o, --out <folder>", "where the results go; never the templates' own folder");
  },
  run: runDashboards,
};

function append(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

async function runDashboards(
  context: Context,
  args: string[],
  options: Options,
): Promise<Record<string, unknown>> {
  const folder = resolve(args[0]!);
  const out = resolve(options.out as string);
  const files = templatesIn(folder);
  refuseInPlace(folder, out, files);
  const words = await wordsOf(options);
  const templates: Template[] = files.map((path) => ({
    path,
    ...personaliseDashboard(readNamedText(path), words, path),
  }));
  refuseUnused(words, templates);
  context.signal.throwIfAborted();
  const written = write(out, templates);
  report(context, templates, written);
  const results = templates.map(({ path, replaced }, i) => ({
    ...{ template: path, out: written[i]!, replaced: Object.fromEntries(replaced) },
  }));
  return { out, files: results };
}

function templatesIn(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw new BroomeError("file-unreadable", `${folder}: ${(cause as Error).message}`, "Check the name.", {
      cause,
    });
  }
  const paths = names
    .filter((name) => /\.(json|h)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
  const large = paths.find(
    (path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_DASHBOARD_SIZE,
  );
  if (large !== undefined)
    throw new BroomeError(
      "dashboard-invalid",
      `${large} is over ${MAX_DASHBOARD_SIZE} bytes`,
      "Leave it out.",
    );
  if (paths.length > 0) return paths;
  throw new BroomeError("usage", `there is no .json or .h file in ${folder}`, "Give the templates' folder.");
}

/** By links too: a template is what the next owner starts from. */
function refuseInPlace(folder: string, out: string, files: readonly string[]): void {
  const same = sameFile(folder, out) || files.some((path) => sameFile(path, join(out, basename(path))));
  if (!same) return;
  throw new BroomeError("usage", `${out} is where the templates are`, "Give another folder with --out.");
}

async function wordsOf(options: Options): Promise<ReadonlyMap<string, string>> {
  const given = {
    ...(options.from !== undefined && readAnswers(options.from as string)),
    ...readSettings((options.set as string[] | undefined) ?? [], () => false),
  };
  const words = new Map(Object.entries(given).map(([word, value]) => [word, String(value)]));
  if (words.size === 0 && canAsk())
    for (const [word, title] of usualWords)
      words.set(word, await ask(`${title} (for "${word}")`, "", (answer) => refuseReplacement(word, answer)));
  for (const [word, value] of words) {
    const refused = refuseReplacement(word, value);
    if (refused !== undefined) throw new BroomeError("value-invalid", refused, "Write --set Device=NAME.");
  }
  if (words.size > 0) return words;
  throw new BroomeError("usage", "no words given", "Write --set Device=NAME --set Cloudname=ACCOUNT.");
}

function refuseUnused(words: ReadonlyMap<string, string>, templates: readonly Template[]): void {
  const unused = [...words.keys()].find((word) => templates.every(({ replaced }) => !replaced.has(word)));
  if (unused === undefined) return;
  const within = templates.some(({ left }) => left.has(unused));
  throw new BroomeError(
    "placeholder-missing",
    `no template holds the word ${unused}${within ? ", only keys or longer words with it" : ""}`,
    "Words count as they are written: Device is not device.",
  );
}

function write(out: string, templates: readonly Template[]): string[] {
  try {
    mkdirSync(out, { recursive: true });
  } catch (cause) {
    throw new BroomeError(
      "file-unwritable",
      `${out}: ${(cause as Error).message}`,
      "Choose another folder.",
      {
        cause,
      },
    );
  }
  return templates.map(({ path, text }) => {
    const target = join(out, basename(path));
    writePrivately(target, encodeUtf8(text));
    return target;
  });
}

function report(context: Context, templates: readonly Template[], written: readonly string[]): void {
  templates.forEach(({ replaced, left }, i) => {
    const counts = [...replaced].map(([word, count]) => `${word} ${count} times`).join(", ") || "nothing";
    const others = [...left].map(([word, count]) => `${word} ${count}`).join(", ");
    context.log(
      `${written[i]}: ${counts}${others === "" ? "" : `; in keys and longer words, left alone: ${others}`}`,
    );
  });
}
