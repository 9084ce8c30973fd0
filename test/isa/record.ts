// Records what the bus carried while a virtual board lived: boot, join, syncs, an update, and the boot of the new version.

import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chipByName } from "../../tools/chips/registry.js";
import { UartLog } from "../../tools/demo/uart-log.js";
import type { Engine } from "../../tools/engine/engine.js";
import { simulate } from "../../tools/simulator/simulation.js";
import { readWorld } from "../../tools/simulator/world.js";
import { runVerb } from "../../tools/demo/child.js";
import { Rig, root, world, type Server } from "../system/rig.js";

const WAIT_MS = 180_000; // 12 s on an idle machine
const CHIP = "esp32c3";
const recorder = join(dirname(fileURLToPath(import.meta.url)), "recorder.mjs");

/** One run of a machine: files `arguments`, `flash` (the archive), `in` and `out` (frames of the bus) in a folder. */
export type Recording = string;

/** An engine whose runs are recorded in `folder`. */
export function recorded(engine: Engine, folder: string): Engine {
  mkdirSync(folder, { recursive: true });
  const binary = `${folder}.sh`;
  const quoted = [process.execPath, recorder, engine.binary, folder].map((word) => `'${word}'`);
  writeFileSync(binary, `#!/bin/sh\nexec ${quoted.join(" ")} "$@"\n`, { mode: 0o755 });
  return { ...engine, binary };
}

/** Lets a board live from its first boot to a confirmed update. Gives its runs, in order. */
export async function recordLife(engine: Engine, folder: string): Promise<Recording[]> {
  const rig = new Rig();
  try {
    const server = await rig.serve();
    await rig.verb("keys", "init", "--demo");
    const built = await rig.build("1.0.0");
    const flashFile = rig.path("flash");
    writeFlash(flashFile, built, await rig.patch(built, rig.values(server)));
    writeFileSync(rig.path("world.json"), JSON.stringify(world));
    const log = new UartLog();
    const simulation = await simulate({
      engine: recorded(engine, folder),
      chip: chipByName(CHIP),
      world: readWorld(rig.path("world.json")),
      flashFile,
      onUart: (_, bytes) => log.take(bytes),
    });
    try {
      const deviceid = await rig.approve(server, log);
      await rig.readings(server, deviceid, (names) => names.length >= 6);
      const release = await rig.build("1.0.1");
      await publish(rig, server, release);
      await raise(server, deviceid, "v100");
      await log.waitFor(/boot: slot=\S+ version=1\.0\.1 cause=ota/, WAIT_MS);
      await log.waitFor(/ota: state=confirmed/, WAIT_MS);
    } finally {
      await simulation.close();
    }
  } finally {
    await rig.end();
  }
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
}

async function publish(rig: Rig, server: Server, release: string): Promise<void> {
  const environment = { ...rig.environment, BROOME_ADMIN_TOKEN: server.admin.token };
  const argv = ["release", "publish", release, "--server", server.admin.url];
  await runVerb(root, argv, rig.path("publish.log"), environment);
}

/** Raises a pin of the device as a script of its owner would. */
async function raise(server: Server, deviceid: string, pin: string): Promise<void> {
  const scopes = ["read", "pins", "ota"];
  const path = `/api/devices/${deviceid}/tokens`;
  const { token } = await server.admin.call<{ token: string }>("POST", path, { scopes });
  const url = new URL("/external/api/update", server.deviceUrl);
  url.hash = "";
  url.searchParams.set("token", token);
  url.searchParams.set(pin, "1");
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${await response.text()}`);
}

/** What `broome flash` would have written. */
function writeFlash(file: string, built: string, app: string): void {
  const flash = Buffer.alloc(chipByName(CHIP).flashSize, 0xff);
  const parts: [number, string][] = [
    [0x8000, join(built, "partition-table.bin")],
    [0xe000, join(built, "ota_data_initial.bin")],
    [0x10000, app],
  ];
  for (const [offset, name] of parts) flash.set(readFileSync(name), offset);
  writeFileSync(file, flash);
}

/** A copy of a recording that a core may write into. */
export function copyOf(recording: Recording, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ["arguments", "flash", "in"]) cpSync(join(recording, name), join(folder, name));
}
