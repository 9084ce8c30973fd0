// `broome ota trigger DEVICE`: raises V100, the device then takes the newest release that fits, or the one named.

import { addAdminOptions, adminClient } from "../admin-client.js";
import { BroomeError } from "../error.js";
import type { Verb } from "../verb.js";

interface Device {
  deviceid: string;
  name: string;
  state: string;
  version: string;
}

export const verb: Verb = {
  name: "ota",
  summary: "tell a device to update itself",
  configure(command) {
    command
      .argument("<trigger>")
      .argument("[device]", "its id or its name")
      .option("--version <version>", "this one (default: the newest that fits)")
      .option("--down", "although it is below the running one")
      .option("--again", "although the device went back from it once");
    addAdminOptions(command);
  },
  async run(context, [action, name], options) {
    if (action !== "trigger" || name === undefined)
      throw new BroomeError("usage", "ota what?", "broome ota trigger DEVICE [--version V]");
    const client = adminClient(context, options);
    const devices = await client.request<Device[]>("GET", "/api/devices?state=approved");
    const found = devices.filter((device) => device.deviceid === name || device.name === name);
    if (found.length !== 1)
      throw new BroomeError(
        "not-found",
        `${found.length === 0 ? "no" : found.length} approved devices go by "${name}"`,
        `Known: ${devices.map((device) => `${device.deviceid} (${device.name})`).join(", ") || "none"}`,
      );
    const { deviceid, version: running } = found[0]!;
    const { version, down, again } = options as { version?: string; down?: true; again?: true };
    const result = await client.request<{ offered: string | null; manifest: string | null }>(
      "POST",
      `/api/devices/${deviceid}/ota`,
      { ...(version && { version }), ...(down && { down }), ...(again && { again }) },
    );
    context.log(
      result.offered === null
        ? `${name} runs ${running}: no newer release fits`
        : `${name} runs ${running}: ${result.offered} is on offer`,
    );
    return { device: deviceid, running, ...result };
  },
};
