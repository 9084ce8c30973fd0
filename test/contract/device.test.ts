// The contract of the device seam on the virtual platform: its firmware through the project's own build, on a virtual board.

import test from "ava";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../tools/build/build.js";
import { checkWorld } from "../../tools/simulator/world.js";
import { bench, chip, engine, flashFile, root } from "../tools/simulator/small-firmware.js";
import { contractResult } from "./device/output.js";

test("the virtual platform keeps the contract of the device seam", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "broome-contract-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(root, "firmware"), join(folder, "firmware"));
  symlinkSync(join(root, "test/contract/device"), join(folder, "contract"));
  const manifest = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8"));
  manifest.creation.main = "contract/main";
  delete manifest.modules["firmware/main"];
  for (const file of ["main", "suite"]) manifest.modules[`contract/${file}`] = `./contract/${file}`;
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  const out = join(folder, "out");
  await build({
    ...{ root: folder, cacheDir: join(root, ".broome"), chip, version: "1.0.0", outDir: out },
    ...{ engine: engine(), config: { updateKeys: [] } },
  });

  const ota_0 = new Uint8Array(readFileSync(join(out, "app.bin")));
  const air = [{ ssid: "Contract", security: "open", channel: 6, rssi: -50 }];
  const world = checkWorld({ seed: 1, clock: "fast", accessPoints: air });
  const board = await bench(t, flashFile(t, { ota_0 }), { world });
  await board.said(/contract: end .*/, 0, 240_000);
  const { cases, failed } = contractResult(board.text)!;
  t.deepEqual(failed, []);
  t.true(cases >= 20);
});
