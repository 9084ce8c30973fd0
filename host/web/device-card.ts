// One device: how it is, what it measured last, what its update does. Updated in place, so that nothing typed is lost.

import { call, type Device, type Release } from "./api.js";
import { detailsOf } from "./details.js";
import { button, element, setText } from "./element.js";
import { ago, bars, nameOf, valueText } from "./format.js";
import { notify, tell } from "./notices.js";

/** Least time between two looks at pins and starts while the details are open. */
const REFRESH_MS = 2000;

/** What the states of an update mean to an owner. */
const OTA_TEXTS: Record<string, string> = {
  checking: "Looking for an update",
  offered: "An update is on offer",
  downloading: "Downloading",
  verifying: "Checking the download",
  restarting: "Restarting",
  trial: "On trial",
  confirmed: "Updated",
  "rolled-back": "Went back",
  failed: "Update failed",
};

function otaText({ ota, offer }: Device): string {
  const state = ota && ota.state !== "idle" ? ota : undefined;
  if (!state) return offer ? "An update is on offer" : "";
  const version = state.version ? ` ${state.state === "rolled-back" ? "from" : "to"} ${state.version}` : "";
  const reason = state.reason ? `: ${state.reason}` : "";
  return `${OTA_TEXTS[state.state] ?? state.state}${version}${reason}`;
}

function signal(): { node: HTMLElement; update: (rssi: number | null) => void } {
  const steps = [1, 2, 3, 4].map(() => element("i"));
  const text = element("span");
  const node = element("span.signal", {}, element("span.bars", { "aria-hidden": "true" }, ...steps), text);
  return {
    node,
    update: (rssi) => {
      steps.forEach((step, i) => step.classList.toggle("on", i < bars(rssi)));
      setText(text, rssi === null ? "no signal known" : `${rssi} dBm`);
    },
  };
}

function nameEditor(get: () => Device): { node: HTMLElement; update: () => void } {
  const heading = element("h3");
  const rename = button("Rename", "plain", () => {
    const name = prompt("Name of the device", get().name);
    if (name !== null)
      void tell(async () => {
        await call("PUT", `/api/devices/${get().deviceid}`, { name: name.trim() });
      });
  });
  rename.classList.add("small");
  return {
    node: element("div.title", {}, heading, rename),
    update: () => {
      setText(heading, nameOf(get()));
      rename.setAttribute("aria-label", `Rename ${nameOf(get())}`);
    },
  };
}

export interface DeviceCard {
  node: HTMLElement;
  update(device: Device): void;
  /** Releases that fit: the newest goes on the button. */
  setRelease(release: Release | undefined): void;
  /** Time has passed. */
  tick(): void;
}

export function deviceCard(first: Device): DeviceCard {
  let device = first;
  const title = nameEditor(() => device);
  const presence = element("p.presence");
  const facts = element("p.facts");
  const strength = signal();
  const readings = element("dl.readings");
  const ota = element("p.ota");
  const progress = element("progress", { max: 100, "aria-label": "Update" });
  const warning = element(
    "p.warning",
    { hidden: true },
    "Two boards may have this device's key, or somebody replays its messages.",
  );
  const updateButton = button(
    "Update",
    "main",
    () =>
      void tell(async () => {
        const { offered } = await call<{ offered: string | null }>(
          "POST",
          `/api/devices/${device.deviceid}/ota`,
          {},
        );
        notify(offered ? `${nameOf(device)} is told to take ${offered}.` : "There is nothing newer.");
      }),
  );
  const summary = element("summary", {}, "Pins, starts, more");
  const more = element("details", {}, summary);
  let details: ReturnType<typeof detailsOf> | undefined;
  let refreshed = 0;
  const refresh = () => {
    if (!details || !more.open || Date.now() - refreshed < REFRESH_MS) return;
    refreshed = Date.now();
    details.refresh();
  };
  more.addEventListener("toggle", () => {
    if (!more.open) return;
    details = detailsOf(device);
    more.replaceChildren(summary, details.node);
    refresh();
  });

  const tick = () => {
    const seen = device.online ? "On line" : `Last seen ${ago(device.lastseen)}`;
    setText(presence, device.state === "approved" ? seen : device.state === "blocked" ? "Blocked" : "Denied");
  };
  const update = (next: Device) => {
    const moved = next.state !== device.state;
    device = next;
    node.classList.toggle("online", device.online && device.state === "approved");
    node.classList.toggle("out", device.state !== "approved");
    title.update();
    tick();
    setText(
      facts,
      [device.product, device.version, device.chip, device.ssid, device.ipaddr].filter(Boolean).join(" · "),
    );
    strength.update(device.rssi);
    updateReadings(readings, device.data);
    setText(ota, otaText(device));
    ota.hidden = ota.textContent === "";
    progress.hidden = device.ota?.state !== "downloading";
    progress.value = device.ota?.percent ?? 0;
    warning.hidden = !device.suspect;
    if (moved && more.open) more.open = false;
    refresh();
  };
  const node = element(
    "article.panel.device",
    {},
    title.node,
    element("div.row", {}, presence, strength.node),
    facts,
    warning,
    readings,
    ota,
    progress,
    element("div.actions", {}, updateButton),
    more,
  );
  update(first);
  return {
    node,
    update,
    tick,
    setRelease: (release) => {
      updateButton.hidden = release === undefined || device.state !== "approved";
      setText(updateButton, release ? `Update to ${release.version}` : "Update");
    },
  };
}

/** Only what changed is touched. */
function updateReadings(list: HTMLElement, data: Record<string, unknown>): void {
  const names = Object.keys(data).sort();
  if (list.dataset.names !== names.join(" ")) {
    list.dataset.names = names.join(" ");
    list.replaceChildren(...names.map((name) => element("div", {}, element("dt", {}, name), element("dd"))));
  }
  const values = list.querySelectorAll("dd");
  names.forEach((name, i) => setText(values[i]!, valueText(data[name])));
}
