// Stage 7: sealed readings arrive; then captured requests are sent again, and nothing changes.

import { isDeepStrictEqual } from "node:util";
import type { Admin } from "../admin.js";
import { need, type Demo, type Stage } from "../stage.js";
import { capturedSyncs, sendRaw, type Captured } from "../wire.js";
import { boardControl } from "../control.js";

const TELEMETRY_TIMEOUT_MS = 20_000;
const REPLAY_TIMEOUT_MS = 10_000;
const SYNCS = 3;

interface Counters {
  accepted: number;
  duplicate: number;
  replayRejected: number;
}

/** The server's own counters, from /metrics. */
async function counters(admin: Admin): Promise<Counters> {
  const text = await admin.text("/metrics");
  const read = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0);
  return {
    accepted: read("broome_sync_accepted_total"),
    duplicate: read("broome_sync_duplicate_total"),
    replayRejected: read("broome_sync_replay_rejected_total"),
  };
}

/** All that the server keeps about the device. */
async function tables(demo: Demo): Promise<unknown[]> {
  const admin = need(demo.admin, "a server");
  const of = `/api/devices/${demo.deviceId}`;
  return Promise.all(
    [of, `${of}/readings?limit=1000`, `${of}/pins`, `${of}/boots`].map((path) => admin.get(path)),
  );
}

async function again(demo: Demo, captured: Captured): Promise<void> {
  const device = new URL(need(demo.server, "a server").first.deviceUrl!);
  const reply = await sendRaw(
    { host: device.hostname, port: Number(device.port) },
    captured.bytes,
    REPLAY_TIMEOUT_MS,
  );
  if (reply.status !== 200) throw new Error(`a captured request was answered ${reply.status}`);
}

export const telemetry: Stage = {
  name: "telemetry",
  async run(demo) {
    const admin = need(demo.admin, "a server");
    const readings = await admin.poll<{ name: string }[]>(
      `/api/devices/${demo.deviceId}/readings?limit=1000`,
      `${SYNCS} readings`,
      TELEMETRY_TIMEOUT_MS,
      (value) => value.length >= SYNCS,
    );
    const end = Date.now() + TELEMETRY_TIMEOUT_MS;
    while ((await counters(admin)).accepted < SYNCS && Date.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 200));

    await boardControl(demo, "download"); // the board is silent while the wire is replayed
    await new Promise((resolve) => setTimeout(resolve, 300));
    const mark = demo.uart.mark;
    const [held, start] = [await tables(demo), await counters(admin)];
    const sent = capturedSyncs(need(demo.capture, "a capture"));
    const [first, last] = [sent[0]!, sent.at(-1)!];
    await again(demo, first);
    await again(demo, last);
    const [after, finish] = [await tables(demo), await counters(admin)];
    const replayRejected = finish.replayRejected - start.replayRejected;
    const duplicate = finish.duplicate - start.duplicate;
    if (replayRejected !== 1 || duplicate !== 1)
      throw new Error(`replayed: ${replayRejected} rejected, ${duplicate} duplicate; 1 and 1 were expected`);
    if (!isDeepStrictEqual(held, after))
      throw new Error("the tables changed when captured requests were sent again");
    await boardControl(demo, "reset");
    await demo.uart.waitFor(/chain: step=stored result=online/, TELEMETRY_TIMEOUT_MS, mark);
    const accepted = finish.accepted;
    if (accepted < SYNCS) throw new Error(`only ${accepted} syncs were accepted`);
    demo.facts.telemetry = { accepted, duplicate, replayRejected };
    return {
      accepted,
      readings: readings.length,
      replayRejected,
      duplicate,
      text: `${accepted} syncs accepted, ${readings.length} readings; a replay rejected, a duplicate answered, tables unchanged`,
    };
  },
};
