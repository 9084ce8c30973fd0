// Buttons of the virtual board, pressed through its documented control port.

import { runVerb } from "./child.js";
import { need, type Demo } from "./stage.js";
import { join } from "node:path";

/** `broome sim reset|download|power-cut --control PATH`. */
export async function boardControl(demo: Demo, action: "reset" | "download" | "power-cut"): Promise<void> {
  await runVerb(
    demo.context.root,
    ["sim", action, "--control", need(demo.board, "a board").first.control!],
    join(demo.folder, "control.log"),
  );
}
