// `broome patch --template`: values for the padded placeholders of another project's binary.

import { sha256 } from "../build/virtual-image.js";
import { readAnswers, type Given } from "../answers-file.js";
import { BroomeError } from "../error.js";
import type { Opened } from "../patch/edits.js";
import { checkValueOf, fillPlaceholders, findPlaceholders, type Placeholder } from "../patch/placeholders.js";
import {
  builtInTemplates,
  espBinaryPatcher,
  parseTemplate,
  type Field,
  type Template,
} from "../patch/template.js";
import { readNamedText } from "../named-file.js";
import { ask, askSecret, canAsk } from "../prompt.js";
import type { Context, Options } from "../verb.js";
import { nobodyToAsk, readSettings, secretsOfEnvironment } from "./patch-answers.js";
import type { PatchResult } from "./patch-result.js";

/** A built-in template by name, else a file. Throws `file-unreadable`, `template-invalid`. */
export function loadTemplate(nameOrPath: string): Template {
  const builtIn = builtInTemplates.find(({ name }) => name === nameOrPath);
  return builtIn ?? parseTemplate(readNamedText(nameOrPath), nameOrPath);
}

/** The built-in template whose placeholders the file holds, for a file that was given without --template. */
export function templateFor(opened: Opened): Template | undefined {
  return builtInTemplates.find((template) => {
    try {
      return findPlaceholders(opened, template).length > 0;
    } catch (error) {
      if (error instanceof BroomeError && error.code === "placeholder-missing") return false;
      throw error;
    }
  });
}

export async function patchTemplate(
  context: Context,
  opened: Opened,
  template: Template,
  options: Options,
): Promise<PatchResult> {
  const conflict = ["blank", "register"].find((name) => options[name] === true);
  if (conflict !== undefined)
    throw new BroomeError(
      "usage",
      `--${conflict} is for images of ours, not for the placeholders of ${template.name}`,
      "The blank file is the one that was distributed.",
    );
  const found = findPlaceholders(opened, template);
  const given: Given = {
    ...(options.from !== undefined && readAnswers(options.from as string)),
    ...readSettings(
      (options.set as string[] | undefined) ?? [],
      (key) => fieldOf(template, key).secret === true,
    ),
  };
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(given))
    values.set(fieldOf(template, key).name, textOf(key, value));
  refuseAbsent(values, found);
  for (const [alias, name] of secretsOfEnvironment) {
    const field = found.find((one) => one.field.alias === alias)?.field;
    const secret = process.env[name];
    if (field && secret !== undefined && !values.has(field.name)) values.set(field.name, secret);
  }
  const asked = await complete(template, found, values);
  const patched = fillPlaceholders(opened, found, values, sha256);
  const placeholders = found.map(({ field: { name }, places, width }) => ({
    ...{ name, count: places.length, width, filled: values.has(name) },
  }));
  const left = placeholders.filter(({ filled }) => !filled).map(({ name }) => name);
  if (left.length > 0) context.log(`left as they are: ${left.join(", ")}`);
  return {
    ...{ patched, asked, fields: { placeholders } },
    secret: found.some(({ field }) => field.secret && values.has(field.name)),
    summary: `${placeholders.length - left.length} of ${placeholders.length} placeholders of ${template.name}`,
  };
}

/** What is still to be filled. */
export function showTemplate(
  context: Context,
  path: string,
  opened: Opened,
  template: Template,
): Record<string, unknown> {
  const placeholders = findPlaceholders(opened, template).map(({ field, places, width }) => ({
    ...{ name: field.name, title: field.title, count: places.length, width },
    offsets: places.map(({ offset }) => offset),
  }));
  for (const { name, title, count, width } of placeholders)
    context.log(`${name.padEnd(8)} ${title}: ${width} bytes${count > 1 ? `, at ${count} places` : ""}`);
  return { image: path, template: template.name, placeholders, changed: [] };
}

/** By the placeholder's name, or by the key that our own images have for it. */
function fieldOf(template: Template, key: string): Field {
  const field = template.fields.find(({ name, alias }) => name === key || alias === key);
  if (field) return field;
  throw new BroomeError(
    "unknown-key",
    `${template.name} has no "${key}"`,
    `Known: ${[...new Set(template.fields.map(({ name }) => name))].join(", ")}.`,
  );
}

function textOf(key: string, value: unknown): string {
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new BroomeError("value-invalid", `${key} is neither text nor number`, "Correct the value.");
}

function refuseAbsent(values: ReadonlyMap<string, string>, found: readonly Placeholder[]): void {
  const absent = [...values.keys()].find((name) => !found.some(({ field }) => field.name === name));
  if (absent === undefined) return;
  throw new BroomeError(
    "placeholder-missing",
    `the image does not hold ${absent}`,
    `It holds ${found.map(({ field }) => field.name).join(", ")}.`,
  );
}

/** Asks for everything where nothing was given, for missing secrets where something was; defaults fill the rest. */
async function complete(
  template: Template,
  found: readonly Placeholder[],
  values: Map<string, string>,
): Promise<boolean> {
  const nothing = values.size === 0;
  if (nothing && !canAsk()) throw nobodyToAsk();
  let asked = false;
  for (const { field, width } of found) {
    if (values.has(field.name)) continue;
    const before = field.default ?? defaultOf(template, field);
    if (canAsk() && (nothing || field.secret)) {
      asked = true;
      const answer = await question(field, width, before);
      if (answer !== undefined) values.set(field.name, answer);
    } else if (before !== "" && field.default !== undefined) values.set(field.name, before);
  }
  return asked;
}

/** Undefined: the placeholder stays as it is, for a field that an empty text cannot fill. */
async function question(field: Field, width: number, before: string): Promise<string | undefined> {
  const refuse = (answer: string) => (answer === "" ? undefined : refusal(field, width, answer));
  const answer = field.secret ? await askSecret(field.title, refuse) : await ask(field.title, before, refuse);
  if (answer === "" && (field.full || field.kind !== "text")) return undefined;
  return answer;
}

function refusal(field: Field, width: number, answer: string): string | undefined {
  try {
    checkValueOf(field, width, answer);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The time zone of this computer: where the board will be, as like as not. */
function defaultOf(template: Template, { name }: Field): string {
  if (template !== espBinaryPatcher || (name !== "TZ_OFF" && name !== "DST_OFF")) return "";
  const year = new Date().getFullYear();
  const offsets = [0, 6].map((month) => -60 * new Date(year, month, 1).getTimezoneOffset());
  return String(name === "TZ_OFF" ? Math.min(...offsets) : Math.max(...offsets));
}
