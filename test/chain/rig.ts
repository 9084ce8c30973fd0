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
import { HomeServer } from "./home-server.js";
import { defaultsOf, type Case } from "./matrix.js";
import { Running, type Run } from "./running.js";

const { layout, flashSize } = esp32c3;

/** Builds the firmware of this checkout into a folder, for the rigs of all processes. */
export async function buildFirmware(folder: string): Promise<void> {
  const engine = await prepareEngine({ cacheDir: ".broome" });
  const common = { root: process.cwd(), cacheDir: ".broome", chip: esp32c3, version: "1.0.0", engine };
  await build({ ...common, outDir: folder, config: { updateKeys: [] } });
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
  private readonly built: string;
  private readonly machines: Machines;
  private readonly server: HomeServer;
  private readonly flashes = new Map<string, PreparedFlash>();

  private constructor(folder: string, own: string, engine: Engine, server: HomeServer) {
    this.folder = own;
    this.engine = engine;
    this.built = folder;
    this.server = server;
    this.machines = new Machines(own);
  }

  /** `folder`: of `buildFirmware`; what this rig adds to it goes when the folder goes. */
  static async open(folder: string): Promise<ChainRig> {
    const own = join(folder, `rig-${process.pid}`);
    mkdirSync(own);
    const engine = await prepareEngine({ cacheDir: ".broome" });
    return new ChainRig(folder, own, engine, await HomeServer.open(own));
  }

  /** The same arguments give the same run. `cutAt`: the power goes in the n-th operation on the store; `all`: see `StoreWatch`. */
  run(one: Case, { cutAt, all = false }: { cutAt?: number; all?: boolean } = {}): Promise<Run> {
    const { block, imported } = defaultsOf(one);
    const { engine, machines, server } = this;
    return new Running({
      ...{ one, engine, machines, server, imported, cutAt, all },
      flash: this.flashOf(block),
    }).play();
  }

  close(): void {
    this.machines.close();
  }

  private flashOf(block: Defaults): PreparedFlash {
    const name = JSON.stringify(block);
    const known = this.flashes.get(name);
    if (known) return known;
    const file = (name: string) => new Uint8Array(readFileSync(join(this.built, name)));
    const image = file("app.bin");
    const app = Object.keys(block).length === 0 ? image : patch(image, block, { sha256 }).image;
    const content = Buffer.alloc(flashSize, 0xff);
    content.set(file("partition-table.bin"), layout.partitionTable.offset);
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
