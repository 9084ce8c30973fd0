// Brings XS's C sources to this machine: from the npm package @agoric/xsnap, pinned by its integrity hash, or from $MODDABLE.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { x as extract } from "tar";
import { BroomeError } from "../error.js";

const PACKAGE = "@agoric/xsnap@0.15.0";
/** `dist.integrity` of that version: the tarball is checked by us, whatever npm does. */
const INTEGRITY = "ZBm4DZxbtfacxMHVVdJjZi0Y8zOxN77vpu1WwI5RWfPkaRh0aHkz/dVdTGKXalDNzWfz183lljKxlxl3/h0n+A==";
const FETCH_TIMEOUT_MS = 120_000;

/**
 * Finds XS's sources, or fetches them once into `cacheDir`: a directory with `sources`, `includes` and `platforms`.
 *
 * `$MODDABLE` set: `$MODDABLE/xs` is taken. Throws BroomeError `engine-build-failed`.
 */
export async function fetchXs(cacheDir: string): Promise<string> {
  const moddable = process.env["MODDABLE"];
  const dir = moddable ? join(moddable, "xs") : join(cacheDir, "xs-13.3");
  if (moddable && !existsSync(join(dir, "sources", "xsAll.h"))) {
    throw new BroomeError(
      "engine-build-failed",
      `MODDABLE is ${moddable}, but ${dir}/sources holds no XS`,
      "Set MODDABLE to the folder of the Moddable SDK, or unset it to use the copy from npm.",
    );
  }
  if (!moddable && !existsSync(join(dir, "sources", "xsAll.h"))) await download(cacheDir, dir);
  return dir;
}

async function download(cacheDir: string, target: string): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  const temporary = await mkdtemp(join(cacheDir, "fetch-"));
  try {
    const tarball = await pack(temporary);
    const hash = createHash("sha512")
      .update(await readFile(tarball))
      .digest("base64");
    if (hash !== INTEGRITY) {
      throw new BroomeError(
        "engine-build-failed",
        `${PACKAGE} has the SHA-512 ${hash}, expected ${INTEGRITY}`,
        "The package registry or a proxy handed out another file: check npm's registry setting.",
      );
    }
    const unpacked = join(temporary, "xs");
    await mkdir(unpacked);
    await extract({
      file: tarball,
      cwd: unpacked,
      strip: 3,
      filter: (path) => /^package\/moddable\/xs\/(sources|includes|platforms)\//.test(path),
    });
    await rm(target, { recursive: true, force: true });
    await rename(unpacked, target);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function pack(dir: string): Promise<string> {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  try {
    await promisify(execFile)(
      npm,
      ["pack", PACKAGE, "--pack-destination", dir, "--silent", "--ignore-scripts"],
      {
        cwd: dir,
        timeout: FETCH_TIMEOUT_MS,
      },
    );
  } catch (cause) {
    throw new BroomeError(
      "engine-build-failed",
      `npm could not fetch ${PACKAGE}: ${(cause as { stderr?: string }).stderr?.trim() || (cause as Error).message}`,
      "The first run needs the network (or a registry that has this package); later runs do not.",
      { cause },
    );
  }
  const tarball = (await readdir(dir)).find((name) => name.endsWith(".tgz"));
  if (!tarball) {
    throw new BroomeError(
      "engine-build-failed",
      `npm pack ${PACKAGE} left no file`,
      "Check that npm works here.",
    );
  }
  return join(dir, tarball);
}
