// The server of the boards' owner: the host's own sync service over its own store, in memory. A request takes its time on the way
// in world time; while the server works on it, world time stands still.

import { EventEmitter } from "node:events";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { FIRST_GENERATION, KEY_LENGTH } from "../../firmware/protocol/sealed.js";
import { MAX_WAIT_S } from "../../firmware/protocol/sync-message.js";
import type { Identity } from "../../firmware/link/sync.js";
import { crypto } from "../../host/crypto.js";
import { KeyCache } from "../../host/device-keys.js";
import { Events } from "../../host/events.js";
import { Files } from "../../host/files.js";
import { Holds } from "../../host/holds.js";
import { openKeyring, type Keyring } from "../../host/keyring.js";
import { Metrics } from "../../host/metrics.js";
import { PinService } from "../../host/pins.js";
import { Presence } from "../../host/presence.js";
import { ReleaseService } from "../../host/releases.js";
import { openSqliteStore } from "../../host/store/sqlite.js";
import type { Store } from "../../host/store/store.js";
import { SyncService } from "../../host/sync.js";
import type { Clock } from "../../tools/simulator/clock.js";
import type { Dial, Dialled } from "../../tools/simulator/net.js";

/** From the board to the server, and back. */
const TRIP_MS = 20;
const ADDRESS = "192.168.4.2:3000";
const BOARD = "192.168.4.9";
const BEGAN = Date.UTC(2026, 0, 1);

/** What the server knew of the board once it had taken a request. */
export interface Heard {
  /** How much the board had said on its UART by then, in characters. */
  at: number;
  /** As its owner is shown: why the last attempt failed; "" for none. */
  failure: string;
}

interface Parts {
  store: Store;
  keyring: Keyring;
  files: Files;
}

/** The server, for one run after the other. */
export class HomeServer {
  readonly url: string;
  private readonly parts: Parts;
  private devices = 0;

  private constructor(parts: Parts) {
    this.parts = parts;
    this.url = `http://${ADDRESS}/#${parts.keyring.pin}`;
  }

  /** Its keys go into the folder. */
  static async open(folder: string): Promise<HomeServer> {
    const store = openSqliteStore(":memory:");
    const keyring = await openKeyring(crypto, store, join(folder, "server"));
    return new HomeServer({ store, keyring, files: new Files(join(folder, "server.files")) });
  }

  /** A device that it has approved, for one run. `said`: how much the board has said so far, in characters. */
  expect(clock: Clock, said: () => number): Visit {
    const { store, keyring } = this.parts;
    this.devices += 1;
    const identity = {
      id: `board-${String(this.devices).padStart(6, "0")}`,
      g: FIRST_GENERATION,
      key: crypto.random(KEY_LENGTH),
      pin: keyring.pin,
    };
    const { id, g, key } = identity;
    const ready = store.addDevice(
      { deviceid: id, name: "", datec: BEGAN, state: "approved" },
      { deviceid: id, g, wrappedKey: keyring.wrapDeviceKey(id, g, key) },
    );
    return new Visit({ ...this.parts, identity, url: this.url, ready, clock, said });
  }
}

interface VisitOptions extends Parts {
  identity: Identity;
  url: string;
  ready: Promise<unknown>;
  clock: Clock;
  said: () => number;
}

/** One run's board at the server. */
export class Visit {
  readonly identity: Identity;
  readonly url: string;
  /** The server knows the board: no time is to pass before. */
  readonly ready: Promise<unknown>;
  /** In order; one for every request that was taken. */
  readonly heard: Heard[] = [];
  /** What the server found to complain of. */
  readonly complaints: string[] = [];
  private readonly clock: Clock;
  private readonly holds: Holds;
  private readonly presence: Presence;
  private readonly syncs: SyncService;
  /** Requests that are not answered yet. */
  private working = 0;
  private begun = false;
  private closed = false;

  constructor({ store, files, keyring, identity, url, ready, clock, said }: VisitOptions) {
    this.ready = ready;
    this.identity = identity;
    this.url = url;
    this.clock = clock;
    const now = () => BEGAN + clock.now();
    const events = new Events();
    const holds = (this.holds = new Holds(now));
    const presence = (this.presence = new Presence(events, now));
    const releases = new ReleaseService({ store, files, crypto, now });
    this.syncs = new SyncService({
      ...{ store, crypto, holds, presence, events, now, metrics: new Metrics() },
      keys: new KeyCache(store, keyring, crypto),
      pins: new PinService({ store, releases, holds, events, now }),
      log: (line) => void this.complaints.push(line),
    });
    events.subscribe(({ name }) => {
      if (name !== "device") return;
      const at = said();
      void store.getDevice(identity.id).then((device) => {
        this.heard.push({ at, failure: String(device!.status.failure ?? "") });
      });
    });
  }

  readonly dial: Dial = () => {
    const call = new Call((body) => void this.answer(body, call));
    this.clock.set(TRIP_MS, () => call.emit("connect"));
    return call;
  };

  /** A request has come in: before time goes on, `settled` is to be awaited. */
  get busy(): boolean {
    return this.begun;
  }

  /** Whatever was asked is answered, or held. */
  async settled(): Promise<void> {
    do {
      this.begun = false;
      await turn();
    } while (this.working > 0 && !this.holds.has(this.identity.id));
  }

  close(): void {
    this.closed = true;
    this.holds.close();
    this.presence.close();
  }

  private async answer(body: Uint8Array, call: Call): Promise<void> {
    const { clock, holds, identity } = this;
    this.begun = true;
    this.working += 1;
    // A hold ends by a timer of this computer: in world time it is looked at here.
    const patience = clock.set(MAX_WAIT_S * 1000, () => {
      this.begun = true;
      holds.wake(identity.id);
    });
    const onClose = (listener: () => void) => void call.once("gone", listener);
    const sealed = await this.syncs.handle(identity.id, body, { address: BOARD, onClose });
    this.working -= 1;
    if (this.closed) return;
    clock.clear(patience);
    if (sealed === undefined) this.complaints.push("a request that is not the device's, or not its form");
    clock.set(TRIP_MS, () => call.reply(sealed));
  }
}

/** A connection with one request, as the firmware's client makes it (firmware/link/http.ts). */
class Call extends EventEmitter implements Dialled {
  readonly writableLength = 0;
  private readonly ask: (body: Uint8Array) => void;
  private received = Buffer.alloc(0);
  private asked = false;
  private over = false;

  constructor(ask: (body: Uint8Array) => void) {
    super();
    this.ask = ask;
  }

  write(bytes: Uint8Array): void {
    this.received = Buffer.concat([this.received, bytes]);
    const head = this.received.indexOf("\r\n\r\n");
    const [, length] =
      /^POST \S+ HTTP\/1\.1\r\n[^]*Content-Length: (\d+)/.exec(this.received.toString("latin1")) ?? [];
    const body = this.received.subarray(head + 4);
    if (this.asked || head < 0 || body.length < Number(length)) return;
    this.asked = true;
    this.ask(new Uint8Array(body));
  }

  /** Undefined: who cannot seal is told nothing. */
  reply(sealed: Uint8Array | undefined): void {
    if (this.over) return;
    const head = `HTTP/1.1 ${sealed ? "200 OK" : "401 Unauthorized"}\r\nContent-Length: ${sealed?.length ?? 0}\r\n\r\n`;
    this.emit("data", Buffer.concat([Buffer.from(head), sealed ?? new Uint8Array(0)]));
    this.emit("end");
  }

  destroy(): void {
    if (this.over) return;
    this.over = true;
    this.emit("gone");
  }

  destroySoon(): void {
    this.destroy();
  }

  setNoDelay(): void {
    // there is no delay
  }

  cork(): void {
    // what is written was on its way already
  }

  uncork(): void {
    // as above
  }

  pause(): void {
    // an answer is shorter than the board's window
  }

  resume(): void {
    // as above
  }
}
