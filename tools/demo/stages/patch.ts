// Stage 3: the server starts and makes a join key; the owner's credentials go into the finished image.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Admin } from "../admin.js";
import { runVerb, startService } from "../child.js";
import { need, type Stage } from "../stage.js";
import { network } from "../world.js";

/** The deadlines of a trial are minutes on a real board; the demo says that it shortens them. */
export const trial = { uptimeMs: 2000, deadlineMs: 4000 };

export const patch: Stage = {
  name: "patch",
  async run(demo) {
    const { context, folder } = demo;
    demo.server = await startService(
      context.root,
      ["serve", "--port", "0", "--admin-port", "0", "--db", join(folder, "server.db")],
      join(folder, "serve.log"),
    );
    const { url, deviceUrl, adminTokenFile } = demo.server.first as Record<string, string>;
    demo.admin = new Admin(url!, readFileSync(adminTokenFile!, "utf8").trim());
    const joinKey = await demo.admin.call<{ key: string }>("POST", "/api/join-keys", { label: "demo" });

    const answers = join(folder, "answers.json");
    const values = {
      "wifi.ssid": network.ssid,
      "wifi.password": network.password,
      "device.name": "Bret's gadget",
      "server.url": deviceUrl,
      "join.key": joinKey.key,
      "trial.uptimeMs": trial.uptimeMs,
      "trial.deadlineMs": trial.deadlineMs,
    };
    writeFileSync(answers, JSON.stringify(values), { mode: 0o600 });
    const blank = need(demo.image, "an image");
    const out = join(folder, "1.0.0", "app_patched.bin");
    const result = await runVerb(
      context.root,
      ["patch", blank, "-o", out, "--from", answers],
      join(folder, "patch.log"),
    );
    const changed = result.changed as { offset: number; length: number; what: string }[];
    const [before, after] = [readFileSync(blank), readFileSync(out)];
    const declared = (at: number) =>
      changed.some(({ offset, length }) => at >= offset && at < offset + length);
    let bytes = 0;
    for (let at = 0; at < after.length; at += 1) {
      if (before[at] === after[at]) continue;
      if (!declared(at)) throw new Error(`patch changed byte 0x${at.toString(16)} without saying so`);
      bytes += 1;
    }
    demo.image = out;
    return {
      bytes,
      changed,
      text: `${Object.keys(values).length} values, ${bytes} bytes differ: ${changed.map(({ what }) => what).join(", ")}`,
    };
  },
};
