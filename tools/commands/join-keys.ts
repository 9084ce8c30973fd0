// `broome join-keys create|list|revoke`: what lets devices ask to be let in.

import { addAdminOptions, adminClient } from "../admin-client.js";
import { BroomeError } from "../error.js";
import type { Context, Options, Verb } from "../verb.js";

interface JoinKey {
  kid: string;
  label: string;
  created: number;
  expires: number | null;
  uses: number | null;
  used: number;
  revoked: boolean;
}

const UNITS: Record<string, number> = { m: 60_000, h: 3600_000, d: 24 * 3600_000 };

export const verb: Verb = {
  name: "join-keys",
  summary: "make, list and revoke the keys that let devices join",
  configure(command) {
    command
      .argument("<create|list|revoke>")
      .argument("[kid]")
      .option("--label <text>", "what it is for")
      .option("--expires <time>", "30m, 12h, 7d, or a date (default: never)")
      .option("--uses <count>", "how many devices it admits (default: any number)", Number);
    addAdminOptions(command);
  },
  async run(context, [action, kid], options) {
    if (action === "create") return create(context, options);
    if (action === "list") return list(context, options);
    if (action === "revoke" && kid !== undefined) return revoke(context, kid, options);
    throw new BroomeError(
      "usage",
      `join-keys ${[action, kid].filter(Boolean).join(" ")}?`,
      "broome join-keys create, list, or revoke KID",
    );
  },
};

/** ms since 1970. */
function timeOf(text: string): number {
  const span = /^([0-9]{1,5})([mhd])$/.exec(text);
  const time = span ? Date.now() + Number(span[1]) * UNITS[span[2]!]! : Date.parse(text);
  if (time > Date.now()) return time;
  throw new BroomeError("usage", `--expires ${text} is no time to come`, "Write 12h, 7d, or 2030-01-31.");
}

async function create(context: Context, options: Options): Promise<Record<string, unknown>> {
  const { uses, label, expires } = options as { uses?: number; label?: string; expires?: string };
  if (uses !== undefined && !(Number.isInteger(uses) && uses > 0))
    throw new BroomeError("usage", `--uses ${uses} is no number of devices`, "Write a whole number above 0.");
  const key = await adminClient(context, options).request<JoinKey & { key: string }>(
    "POST",
    "/api/join-keys",
    {
      ...(label !== undefined && { label }),
      ...(uses !== undefined && { uses }),
      ...(expires !== undefined && { expires: timeOf(expires) }),
    },
  );
  context.log(`join key ${key.kid}, shown this once; patch it in with BROOME_JOIN_KEY or --from FILE:`);
  if (!context.json) context.print(key.key);
  return { ...key };
}

function describe({ kid, label, used, uses, expires, revoked }: JoinKey): string {
  const state = revoked
    ? "revoked"
    : expires === null
      ? ""
      : `${expires > Date.now() ? "until" : "expired"} ${new Date(expires).toISOString()}`;
  return `${kid}  ${used}${uses === null ? "" : `/${uses}`} used  ${state}  ${label}`.trimEnd();
}

async function list(context: Context, options: Options): Promise<Record<string, unknown>> {
  const keys = await adminClient(context, options).request<JoinKey[]>("GET", "/api/join-keys");
  for (const key of keys) context.log(describe(key));
  return { keys };
}

async function revoke(context: Context, kid: string, options: Options): Promise<Record<string, unknown>> {
  await adminClient(context, options).request("DELETE", `/api/join-keys/${encodeURIComponent(kid)}`);
  context.log(`join key ${kid} is revoked; devices that joined with it stay`);
  return { kid, revoked: true };
}
