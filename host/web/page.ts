// The page: devices live, those that wait for approval first.

import { ApiError, call, type Device, type Release } from "./api.js";
import { compareVersions, isVersion } from "../../firmware/protocol/semver.js";
import { deviceCard, type DeviceCard } from "./device-card.js";
import { element, setText } from "./element.js";
import { showLogin } from "./login.js";
import { notify, tell } from "./notices.js";
import { pendingCard } from "./pending-card.js";
import { settings } from "./settings.js";

const TICK_MS = 10_000;
const EVENTS = [
  "device",
  "device.online",
  "device.offline",
  "device.removed",
  "join.pending",
  "pin.changed",
  "ota.state",
  "alert",
];

const main = document.getElementById("main")!;
const link = document.getElementById("link")!;
const logout = document.getElementById("logout") as HTMLButtonElement;

class Page {
  readonly #devices = new Map<string, Device>();
  readonly #cards = new Map<string, DeviceCard>();
  readonly #pendingCards = new Map<string, HTMLElement>();
  #releases: Release[] = [];
  readonly #pending = element("div.cards");
  readonly #grid = element("div.cards");
  readonly #empty = element(
    "p.empty",
    {},
    "No devices yet. Make a join key below, patch it with the address into an image (",
    element("code", {}, "broome patch"),
    "), and start the board: it shows up here by itself.",
  );
  readonly #waiting = element(
    "section.waiting",
    { "aria-label": "Waiting for approval" },
    element("h2", {}, "Waiting for you"),
    this.#pending,
  );

  async show(): Promise<void> {
    const [devices, releases] = await Promise.all([
      call<Device[]>("GET", "/api/devices"),
      call<Release[]>("GET", "/api/releases"),
    ]);
    this.#releases = releases;
    for (const device of devices) this.#put(device);
    main.replaceChildren(
      this.#waiting,
      element("section", { "aria-label": "Devices" }, element("h2", {}, "Devices"), this.#empty, this.#grid),
      settings(releases),
    );
    this.#arrange();
    logout.hidden = false;
    setInterval(() => this.#cards.forEach((card) => card.tick()), TICK_MS);
    this.#listen();
  }

  #listen(): void {
    const source = new EventSource("/api/events");
    let opened = false;
    source.addEventListener("open", () => {
      setText(link, "live");
      link.classList.add("on");
      if (opened) void tell(() => this.#reload()); // what happened in between was not told
      opened = true;
    });
    source.addEventListener("error", () => {
      setText(link, "not connected, trying again");
      link.classList.remove("on");
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
    });
    for (const name of EVENTS)
      source.addEventListener(name, (event) =>
        this.#take(name, JSON.parse((event as MessageEvent<string>).data)),
      );
  }

  #take(name: string, data: { id: string; device?: Device; what?: string }): void {
    if (name === "device.removed") this.#devices.delete(data.id);
    if (name === "join.pending") notify("A device asks to be let in.");
    if (data.device) this.#put(data.device);
    this.#arrange();
  }

  async #reload(): Promise<void> {
    const devices = await call<Device[]>("GET", "/api/devices");
    this.#releases = await call<Release[]>("GET", "/api/releases");
    this.#devices.clear();
    for (const device of devices) this.#put(device);
    this.#arrange();
  }

  #put(device: Device): void {
    this.#devices.set(device.deviceid, device);
    this.#cards.get(device.deviceid)?.update(device);
  }

  /** Puts each device's card where it belongs, touching only what moves. */
  #arrange(): void {
    const all = [...this.#devices.values()];
    const pending = all.filter(({ state }) => state === "pending");
    const others = all.filter(({ state }) => state !== "pending" && state !== "replaced");
    place(this.#pending, this.#pendingCards, pending, (device) =>
      pendingCard(device, this.#devices.get(device.claims ?? "")),
    );
    for (const device of others) {
      const card = this.#cards.get(device.deviceid) ?? deviceCard(device);
      this.#cards.set(device.deviceid, card);
      card.setRelease(this.#newestFor(device));
    }
    const nodes = new Map(others.map(({ deviceid }) => [deviceid, this.#cards.get(deviceid)!.node]));
    place(this.#grid, nodes, others, () => element("div"));
    for (const id of this.#cards.keys()) if (!nodes.has(id)) this.#cards.delete(id);
    this.#waiting.hidden = pending.length === 0;
    this.#empty.hidden = others.length > 0;
    document.title = pending.length > 0 ? `(${pending.length}) Broome` : "Broome";
  }

  #newestFor({ product, chip, version }: Device): Release | undefined {
    if (!isVersion(version)) return undefined;
    return this.#releases
      .filter((r) => !r.withdrawn && r.product === product && r.chip === chip)
      .filter((r) => compareVersions(r.version, version) > 0)
      .sort((a, b) => compareVersions(b.version, a.version))[0];
  }
}

/** The children of `parent` become the nodes of `devices`, in order; nodes that stay keep their focus and what is typed. */
function place(
  parent: HTMLElement,
  nodes: Map<string, HTMLElement>,
  devices: Device[],
  make: (device: Device) => HTMLElement,
): void {
  const wanted = devices.map((device) => {
    const node = nodes.get(device.deviceid) ?? make(device);
    nodes.set(device.deviceid, node);
    return node;
  });
  for (const [id, node] of [...nodes]) if (!wanted.includes(node)) nodes.delete(id);
  for (const child of [...parent.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
  wanted.forEach((node, i) => {
    if (parent.children[i] !== node) parent.insertBefore(node, parent.children[i] ?? null);
  });
}

logout.addEventListener("click", () => {
  void tell(async () => {
    await call("POST", "/api/logout");
    location.reload();
  });
});

async function start(): Promise<void> {
  try {
    await new Page().show();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    await showLogin(main);
    await new Page().show();
    main.focus({ preventScroll: true });
  }
}

void tell(start);
