// Live events for the page: server-sent events (HTML Living Standard, 9.2).

import type { FastifyInstance } from "fastify";
import type { ServerResponse } from "node:http";
import { deviceView } from "../device-view.js";
import { HostError } from "../error.js";
import type { Event, Events } from "../events.js";
import type { Presence } from "../presence.js";
import type { Store } from "../store/store.js";
import type { SyncService } from "../sync.js";

const MAX_WATCHERS = 64;
const HEARTBEAT_MS = 15_000;
/** A watcher that does not read is dropped; it comes back by itself. */
const MAX_UNREAD = 1024 * 1024;

interface Services {
  store: Store;
  events: Events;
  presence: Presence;
  syncs: SyncService;
}

export function eventRoutes(app: FastifyInstance, { store, events, presence, syncs }: Services): void {
  const watchers = new Set<ServerResponse>();

  const send = (text: string): void => {
    for (const watcher of watchers) {
      if (watcher.writableLength > MAX_UNREAD) watcher.destroy();
      else watcher.write(text);
    }
  };
  /** Rows travel with the event, so that the page needs no second request. */
  const forward = async ({ name, data }: Event): Promise<void> => {
    if (watchers.size === 0) return;
    const device = await store.getDevice(data.id);
    const row = device && { device: deviceView(device, presence, syncs) };
    send(`event: ${name}\ndata: ${JSON.stringify({ ...data, ...row })}\n\n`);
  };
  const unsubscribe = events.subscribe((event) => void forward(event).catch(() => {}));
  const heartbeat = setInterval(() => send(": still here\n\n"), HEARTBEAT_MS);
  heartbeat.unref();

  app.get("/api/events", (request, reply) => {
    if (watchers.size >= MAX_WATCHERS)
      throw new HostError(503, "too-many-watchers", "too many pages are open", "Close one.");
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    raw.write("retry: 2000\n\n");
    watchers.add(raw);
    request.raw.once("close", () => watchers.delete(raw));
  });

  app.addHook("preClose", async () => {
    unsubscribe();
    clearInterval(heartbeat);
    for (const watcher of watchers) watcher.end();
  });
}
