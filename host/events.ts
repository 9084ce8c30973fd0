// What happens on the server, for whoever watches: the page over SSE now, webhooks later.

/** Names of CONTRACT's webhook events, and `device`: a row changed. */
export type EventName =
  | "join.pending"
  | "device"
  | "device.online"
  | "device.offline"
  | "device.removed"
  | "pin.changed"
  | "ota.state"
  | "alert";

export interface Event {
  name: EventName;
  /** Never holds a secret. */
  data: { id: string } & Record<string, unknown>;
}

export class Events {
  readonly #listeners = new Set<(event: Event) => void>();

  /** Calls `listener` for every event from now on; the result ends that. */
  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(name: EventName, data: Event["data"]): void {
    for (const listener of this.#listeners) listener({ name, data });
  }
}
