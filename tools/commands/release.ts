// `broome release publish|list|withdraw`: signed images for devices to take.

import { resolve } from "node:path";
import { addAdminOptions, adminClient } from "../admin-client.js";
import { BroomeError } from "../error.js";
import { keysDirectory } from "../keys-directory.js";
import { listKeys, signWith } from "../release/keys.js";
import { addPassphraseOption, passphraseSource } from "../passphrase.js";
import { chooseKey, readBuild, signRelease } from "../release/publish.js";
import type { Context, Options, Verb } from "../verb.js";

interface Release {
  manifest: string;
  version: string;
  product: string;
  chip: string;
  size: number;
  withdrawn: boolean;
}

export const verb: Verb = {
  name: "release",
  summary: "publish, list and withdraw signed images",
  configure(command) {
    command
      .argument("<publish|list|withdraw>")
      .argument("[what]", "publish: a build's folder or its image; withdraw: a version or a manifest's hash")
      .option("--key <kid>", "key to sign with (default: the one here that the image trusts)")
      .option("--keys <folder>", "where the keys lie (default: $BROOME_KEYS or ~/.config/broome/keys)")
      .option("--min <version>", "lowest running version that may take it", "0.0.0")
      .option("--blank", "release a personalised image without its values");
    addAdminOptions(command);
    addPassphraseOption(command);
  },
  async run(context, [action, what], options) {
    if (action === "publish") return publish(context, what ?? context.chain.dir, options);
    if (action === "list") return list(context, options);
    if (action === "withdraw" && what !== undefined) return withdraw(context, what, options);
    throw new BroomeError(
      "usage",
      `release ${[action, what].filter(Boolean).join(" ")}?`,
      "broome release publish DIR, list, or withdraw VERSION",
    );
  },
};

async function publish(
  context: Context,
  path: string | undefined,
  options: Options,
): Promise<Record<string, unknown>> {
  if (path === undefined)
    throw new BroomeError("usage", "publish what?", "broome release publish build/esp32c3");
  const { image, facts } = readBuild(resolve(path));
  const keys = listKeys(keysDirectory(options.keys as string | undefined));
  const key = chooseKey(keys, facts, options.key as string | undefined);
  const client = adminClient(context, options);
  if (key.demo && !client.isLoopback)
    throw new BroomeError(
      "key-demo",
      `${key.kid} is a demo key without a passphrase, and ${client.url} is not on this machine`,
      "Make a real one with `broome keys init`, and build again so that the image trusts it.",
    );
  const sign = await signWith(key, passphraseSource(context, options, "open"));
  const { min, blank } = options as { min: string; blank?: boolean };
  const signed = signRelease(image, facts, { kid: key.kid, sign, min, ...(blank && { blank }) });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  const release = await client.request<Release>("POST", "/api/releases", {
    image: base64(signed.image),
    list: base64(signed.list),
    manifest: Buffer.from(signed.file).toString("latin1"),
  });
  context.log(`released ${describe(release)}, signed by ${key.kid}`);
  return { ...release };
}

function describe({ product, version, chip, size, manifest, withdrawn }: Release): string {
  return `${product} ${version} for ${chip}, ${size} bytes, manifest ${manifest.slice(0, 12)}${withdrawn ? ", withdrawn" : ""}`;
}

async function list(context: Context, options: Options): Promise<Record<string, unknown>> {
  const releases = await adminClient(context, options).request<Release[]>("GET", "/api/releases");
  for (const release of releases) context.log(describe(release));
  return { releases };
}

async function withdraw(context: Context, name: string, options: Options): Promise<Record<string, unknown>> {
  const release = await adminClient(context, options).request<Release>(
    "POST",
    `/api/releases/${encodeURIComponent(name)}/withdraw`,
  );
  context.log(`withdrawn: ${describe(release)}; devices that have it keep it`);
  return { ...release };
}
