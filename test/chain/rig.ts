// The prepared boards of the matrix: this checkout's firmware, patched as the cases say, in flash files that machines map.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Defaults } from "../../firmware/format/defaults-block.js";
import { build } from "../../tools/build/build.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { Machines } from "../../tools/engine/blocking.js";
import { prepareEngine, type Engine } from "../../tools/engine/engine.js";
import { patch } from "../../tools/patch/patch.js";
import { defaultsOf, type Case } from "./matrix.js";
import { Running, type Run } from "./running.js";

const { layout, flashSize } = esp32c3;

/** Builds the firmware of this checkout into a folder, for the rigs of all processes. */
export async function buildFirmware(folder: string): Promise<void> {
  const engine = await prepareEngine({ cacheDir: ".broome" });
  const paths = { root: process.cwd(), cacheDir: ".broome", outDir: folder };
  await build({ ...paths, chip: esp32c3, version: "1.0.0", engine, config: { updateKeys: [] } });
}

/** A flash with an image and nothing in its store. */
export interface PreparedFlash {
  /** The engine maps the code from it; what is written is kept in memory. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** One run at a time. */
export class ChainRig {
  private readonly folder: string;
  private readonly engine: Engine;
  private readonly image: Uint8Array;
  private readonly table: Uint8Array;
  private readonly machines: Machines;
  private readonly flashes = new Map<string, PreparedFlash>();

  private constructor(folder: string, own: string, engine: Engine) {
    this.folder = own;
    this.engine = engine;
    this.image = new Uint8Array(readFileSync(join(folder, "app.bin")));
    this.table = new Uint8Array(readFileSync(join(folder, "partition-table.bin")));
    this.machines = new Machines(own);
  }

  /** `folder`: of `buildFirmware`; what this rig adds to it goes when the folder goes. */
  static async open(folder: string): Promise<ChainRig> {
    const own = join(folder, `rig-${process.pid}`);
    mkdirSync(own);
    return new ChainRig(folder, own, await prepareEngine({ cacheDir: ".broome" }));
  }

  /** `cutAt`: the power goes in the n-th operation on the store. The same arguments give the same run. */
  run(one: Case, cutAt?: number): Promise<Run> {
    const { block, imported } = defaultsOf(one);
    const { engine, machines } = this;
    return new Running({ one, engine, machines, flash: this.flashOf(block), imported, cutAt }).play();
  }

  close(): void {
    this.machines.close();
  }

  private flashOf(block: Defaults): PreparedFlash {
    const name = JSON.stringify(block);
    const known = this.flashes.get(name);
    if (known) return known;
    const app = name === "{}" ? this.image : patch(this.image, block, { sha256 }).image;
    const content = Buffer.alloc(flashSize, 0xff);
    content.set(this.table, layout.partitionTable.offset);
    content.set(app, layout.ota_0.offset);
    const path = join(this.folder, `${this.flashes.size}.flash`);
    writeFileSync(path, content);
    const made = { path, content };
    this.flashes.set(name, made);
    return made;
  }
}

function sha256() {
  const hash = createHash("sha256");
  return {
    update: (bytes: Uint8Array) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}
