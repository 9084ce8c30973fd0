// Stage 6: the device asks to be taken in; the owner compares the code and approves.

import { need, type Stage } from "../stage.js";
import type { DeviceRow } from "../admin.js";

const JOIN_TIMEOUT_MS = 20_000;

export const join: Stage = {
  name: "join",
  async run(demo) {
    const admin = need(demo.admin, "a server");
    const [, code] = await demo.uart.waitFor(/join: code=(\d{6}) state=pending/, JOIN_TIMEOUT_MS);
    const rows = await admin.poll<DeviceRow[]>(
      "/api/devices?state=pending",
      "a pending device",
      JOIN_TIMEOUT_MS,
      (value) => value.some((row) => row.code === code),
    );
    const row = rows.find((candidate) => candidate.code === code)!;
    demo.note(`the board says ${code}, the page says ${row.code}: approving`);
    await admin.call("POST", `/api/devices/${row.deviceid}/approve`, { code, name: "Bret's gadget" });
    await demo.uart.waitFor(/join: .*state=approved/, JOIN_TIMEOUT_MS);
    demo.deviceId = row.deviceid;
    return {
      deviceid: row.deviceid,
      code,
      text: `code ${code} compared and approved; identity ${row.deviceid} stored`,
    };
  },
};
