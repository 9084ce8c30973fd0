// `broome patch`: puts credentials and settings into a finished image, ours or another project's.

import { addAdminOptions } from "../admin-client.js";
import { sha256 } from "../build/virtual-image.js";
import { BroomeError } from "../error.js";
import { readNamedFile } from "../named-file.js";
import { open, type Opened } from "../patch/edits.js";
import { openPersonal, type Personal } from "../patch/patch.js";
import type { Template } from "../patch/template.js";
import { checkWritable, writePrivately } from "../private-file.js";
import type { Context, Options, Verb } from "../verb.js";
import { patchDefaults, showDefaults } from "./patch-defaults.js";
import { findImage, outputOf } from "./patch-image.js";
import type { PatchResult } from "./patch-result.js";
import { loadTemplate, patchTemplate, showTemplate, templateFor } from "./patch-template.js";

export const verb: Verb = {
  name: "patch",
  summary: "put credentials and settings into a finished image",
  configure(command) {
    command
      .argument("[image]", "app.bin, or the folder of a build (default: a menu of the .bin files here)")
      .option("-o, --out <file>", "where the result goes (default: IMAGE_patched.bin)")
      .option("--from <file>", "JSON file of keys and values; null takes a key out")
      .option("--set <key=value>", "one value, not a secret; an empty value takes the key out", append)
      .option("--template <template>", "another project's placeholders: thinger, or a JSON file")
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
  const path = await findImage(context, args[0]);
  const target = openTarget(context, readNamedFile(path), options.template as string | undefined);
  if (options.show === true)
    return "template" in target
      ? showTemplate(context, path, target.opened, target.template)
      : showDefaults(context, path, target.opened);
  const out = outputOf(path, options.out as string | undefined);
  checkWritable(out); // before questions, and before a server is told of a device
  const result =
    "template" in target
      ? await patchTemplate(context, target.opened, target.template, options)
      : await patchDefaults(context, target.opened, options);
  context.signal.throwIfAborted();
  writePrivately(out, result.patched.image);
  context.chain.image = out;
  report(context, out, result);
  const flashed = await flashIfWanted(context, out, result, target);
  return { out, changed: result.patched.changed, ...result.fields, ...(flashed && { flashed }) };
}

type Target = { opened: Personal } | { opened: Opened; template: Template };

/** An image with our defaults block, or one with placeholders: of the template that was named, or of one that is known. */
function openTarget(context: Context, file: Uint8Array, template: string | undefined): Target {
  if (template !== undefined) {
    const loaded = loadTemplate(template);
    return { opened: open(file, sha256), template: loaded };
  }
  try {
    return { opened: openPersonal(file, sha256) };
  } catch (error) {
    if (!(error instanceof BroomeError) || error.code !== "defaults-missing") throw error;
    const opened = open(file, sha256);
    const known = templateFor(opened);
    if (known === undefined) throw error;
    context.log(`no image of ours: it holds the placeholders of --template ${known.name}`);
    return { opened, template: known };
  }
}

function report(context: Context, out: string, { patched, summary, secret }: PatchResult): void {
  const changed = patched.changed.map(({ what }) => what).join(", ") || "nothing";
  context.log(`${out}: ${summary}, ${changed} changed`);
  if (secret)
    context.log("  It holds credentials: keep it to yourself. Releases are published from the blank image.");
}

/** Only where a person is there and did not ask for it anyway: `broome patch flash`. */
async function flashIfWanted(
  context: Context,
  out: string,
  { asked }: PatchResult,
  target: Target,
): Promise<Record<string, unknown> | undefined> {
  if (!asked || context.json || context.chain.next === "flash") return undefined;
  const { offerToFlash } = await import("./patch-flash.js");
  return offerToFlash(context, out, target.opened, !("template" in target));
}
