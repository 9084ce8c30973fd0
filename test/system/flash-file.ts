// The flash of a board as a flasher would have left it, and as earlier starts left its store.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { noteSuccess } from "../../firmware/connect/network-notes.js";
import { rememberNetwork } from "../../firmware/connect/networks.js";
import { LogStore } from "../../firmware/store/log-store.js";
import { esp32c3 } from "../../tools/chips/esp32c3.js";
import { NorFlash } from "../../tools/simulator/flash.js";
import { flashRegion } from "../firmware/store/flash-region.js";
import type { Rig } from "./rig.js";

const { layout, flashSize } = esp32c3;

export interface Content {
  /** Folder of a build, and the app in place of its own. */
  built: string;
  app: string;
  /** Networks that have worked, newest first. */
  stored?: readonly { ssid: string; password: string }[];
}

/** Makes the file that `rig.board(name)` starts from. */
export function flashFile(rig: Rig, name: string, { built, app, stored = [] }: Content): void {
  const nor = NorFlash.open({ path: rig.path(`${name}.flash`), size: flashSize });
  nor.program(layout.partitionTable.offset, readFileSync(join(built, "partition-table.bin")));
  nor.program(layout.otadata.offset, readFileSync(join(built, "ota_data_initial.bin")));
  nor.program(layout.ota_0.offset, readFileSync(app));
  const store = new LogStore({ flash: flashRegion(nor, layout.broome.offset, layout.broome.size) });
  stored.toReversed().forEach(({ ssid, password }, index) => {
    const bytes = new Uint8Array(Buffer.from(ssid));
    rememberNetwork(store, { ssid: bytes, password });
    noteSuccess(store, bytes, index + 1, { bssid: Uint8Array.of(2, 0xb0, 0x0e, 0, 0, 0), channel: 6 });
  });
  nor.close();
}
