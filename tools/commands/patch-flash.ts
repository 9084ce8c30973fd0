// What `broome patch` offers a person at the end: to flash the result at once.

import { parseImage, reader } from "../../firmware/format/image.js";
import type { Opened } from "../patch/edits.js";
import { choose, confirm } from "../prompt.js";
import { listPorts } from "../serial/list.js";
import type { Context } from "../verb.js";
import { verb as flash } from "./flash.js";

const APP_OFFSET = 0x10000; // of an ESP32 app in the usual partition tables
const NOT_NOW = "not now";

/** The result of the flash; undefined where none was wanted, or no board is plugged in. */
export async function offerToFlash(
  context: Context,
  out: string,
  opened: Opened,
  ours: boolean,
): Promise<Record<string, unknown> | undefined> {
  const offset = ours && context.chain.dir !== undefined ? undefined : offsetOf(opened);
  const pair = offset === undefined ? [] : [`0x${offset.toString(16)}`, out];
  const where = offset === undefined ? "" : ` at 0x${offset.toString(16)}`;
  const port = await portFor(context, where);
  if (port === undefined) {
    context.log(`  Later: broome -p PORT flash ${pair.join(" ") || `--dir ${context.chain.dir}`}`);
    return undefined;
  }
  return flash.run({ ...context, port }, pair, {});
}

async function portFor(context: Context, where: string): Promise<string | undefined> {
  const ports = await listPorts();
  const only = context.port ?? (ports.length === 1 ? ports[0]!.path : undefined);
  if (only !== undefined) {
    const named = ports.find(({ path }) => path === only)?.description;
    const yes = await confirm(`Flash it now${where} on ${only}${named === undefined ? "" : ` (${named})`}?`);
    return yes ? only : undefined;
  }
  if (ports.length === 0) return undefined;
  const lines = ports.map(({ path, description }) => `${path} ${description ?? ""}`.trim());
  const chosen = await choose(`Flash it now${where} on ...?`, [...lines, NOT_NOW]);
  return chosen === NOT_NOW ? undefined : ports[lines.indexOf(chosen)]!.path;
}

/** A merged file, and an ESP8266's, begin at the start of the flash; an ESP32 app alone goes where its table has it. */
function offsetOf({ file, images }: Opened): number {
  const [first] = images;
  if (images.length > 1 || first!.offset > 0) return 0;
  return parseImage(reader(file), file.length).form === "esp32" ? APP_OFFSET : 0;
}
