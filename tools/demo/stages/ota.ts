// Stage 8: 1.0.1 is published, the virtual pin is raised through the API, and the board updates itself.

import { join } from "node:path";
import { runVerb } from "../child.js";
import { need, type Demo, type Stage } from "../stage.js";
import { keysOf } from "../variants.js";
import { bytesDown } from "../wire.js";
import { trial } from "./patch.js";

const OTA_TIMEOUT_MS = 60_000;

/** Publishes a built variant, signed with this run's key. */
export async function publish(demo: Demo, version: string): Promise<void> {
  const built = need(demo.variants, "variants")[version]!;
  await built;
  await runVerb(
    demo.context.root,
    ["release", "publish", join(demo.folder, version), "--server", need(demo.admin, "a server").url],
    join(demo.folder, "release.log"),
    { ...keysOf(demo.folder), BROOME_ADMIN_TOKEN: demo.admin!.token },
  );
}

/** Raises a pin as any script would: a GET with the device's token, on the device listener. */
export async function raise(demo: Demo, pin: string, value: string): Promise<void> {
  const url = new URL("/external/api/update", need(demo.server, "a server").first.deviceUrl!);
  url.searchParams.set("token", need(demo.token, "a token"));
  url.searchParams.set(pin, value);
  url.hash = "";
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: ${response.status} ${await response.text()}`);
}

/** A pin as the admin API lists it. */
export interface PinRow {
  pin: string;
  reported: { value: string } | null;
}

/** What the device reported on a pin, once it is what is waited for. */
export async function reportedPin<T>(demo: Demo, pin: string, accept: (value: T) => boolean): Promise<T> {
  const reported = (rows: PinRow[]): T | undefined => {
    const text = rows.find((row) => row.pin === pin)?.reported?.value;
    return text === undefined ? undefined : (JSON.parse(text) as T);
  };
  const rows = await need(demo.admin, "a server").poll<PinRow[]>(
    `/api/devices/${demo.deviceId}/pins`,
    `the report on ${pin}`,
    OTA_TIMEOUT_MS,
    (candidate) => {
      const value = reported(candidate);
      return value !== undefined && accept(value);
    },
  );
  return reported(rows)!;
}

export const ota: Stage = {
  name: "ota",
  async run(demo) {
    const { uart } = demo;
    await publish(demo, "1.0.1");
    const { token } = await demo.admin!.call<{ token: string }>(
      "POST",
      `/api/devices/${demo.deviceId}/tokens`,
      {
        scopes: ["read", "pins", "ota"],
      },
    );
    demo.token = token;
    const mark = uart.mark;
    const serverPort = Number(new URL(demo.server!.first.deviceUrl!).port);
    const before = bytesDown(demo.capture!, serverPort);
    await raise(demo, "v100", "1");
    const progress = demo.context.progress("ota      ", 100, "percent");
    uart.onLine = (line) => {
      const percent = /ota: state=downloading percent=(\d+)/.exec(line)?.[1];
      if (percent) progress.update(Number(percent));
    };
    const [, slot] = await uart.waitFor(/boot: slot=(\S+) version=1\.0\.1 cause=ota/, OTA_TIMEOUT_MS, mark);
    uart.onLine = undefined;
    progress.end();
    const bytes = bytesDown(demo.capture!, serverPort) - before;
    await uart.waitFor(/chain: step=stored result=online/, OTA_TIMEOUT_MS, mark);
    await uart.waitFor(/ota: state=confirmed/, OTA_TIMEOUT_MS, mark);
    await demo.admin!.poll<{ name: string }[]>(
      `/api/devices/${demo.deviceId}/readings?limit=1000`,
      "the renamed reading",
      OTA_TIMEOUT_MS,
      (value) => value.some(({ name }) => name === demo.renamed),
    );
    const status = await reportedPin<{ state: string; version: string }>(
      demo,
      "V101",
      (value) => value.state === "confirmed" && value.version === "1.0.1",
    );
    const report = await reportedPin<{ cause: string; version: string }>(
      demo,
      "V102",
      ({ version }) => version === "1.0.1",
    );
    if (report.cause !== "ota") throw new Error(`V102 says that it started for ${report.cause}`);
    demo.facts.ota = { from: "1.0.0", to: "1.0.1", confirmed: status.state === "confirmed" };
    return {
      slot,
      bytes,
      text: `1.0.0 -> 1.0.1 in ${slot}, ${bytes} bytes; confirmed after ${trial.uptimeMs} ms (60000 on a real board); V102: ${report.cause}`,
    };
  },
};
