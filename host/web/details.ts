// What is behind a device's card: pins, starts with their causes, a token, blocking.

import { call, type Boot, type Device, type Pin } from "./api.js";
import { button, element, field } from "./element.js";
import { dateText, nameOf, spanText } from "./format.js";
import { notify, tell } from "./notices.js";

function table(caption: string, heads: string[], rows: (string | Node)[][]): HTMLElement {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element(
    "div.scroll",
    { tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, head),
      element("tbody", {}, ...body),
    ),
  );
}

function pinTable(pins: Pin[]): HTMLElement {
  if (pins.length === 0) return element("p.hint", {}, "No pins yet.");
  const rows = pins.map(({ pin, desired, reported }) => [pin, reported?.value ?? "", desired?.value ?? ""]);
  return table("Pins", ["Pin", "Device says", "Set to"], rows);
}

function bootTable(boots: Boot[]): HTMLElement {
  if (boots.length === 0) return element("p.hint", {}, "No starts reported yet.");
  const rows = boots.map(({ at, cause, version, previousUptimeMs, note }) => [
    dateText(at),
    note ? `${cause} (${note})` : cause,
    version,
    previousUptimeMs > 0 ? spanText(previousUptimeMs) : "",
  ]);
  return table("Starts", ["When", "Why", "Version", "Ran before"], rows);
}

function pinForm(id: string, after: () => void): HTMLElement {
  const pin = element("input", {
    pattern: "[vV][0-9]{1,3}",
    placeholder: "V1",
    required: true,
    size: 5,
    autocomplete: "off",
  });
  const value = element("input", { autocomplete: "off" });
  const form = element(
    "form.inline",
    {},
    field("Pin", pin),
    field("Value", value),
    element("button.plain", { type: "submit" }, "Set"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void tell(async () => {
      await call("PUT", `/api/devices/${id}/pins/${pin.value}`, { value: value.value });
      after();
    });
  });
  return form;
}

function tokenPart(device: Device): HTMLElement {
  const place = element("p.hint", {}, "A token lets programs read and set this device's pins over HTTP.");
  const make = button(
    "Make a token",
    "plain",
    () =>
      void tell(async () => {
        const { token } = await call<{ token: string }>("POST", `/api/devices/${device.deviceid}/tokens`, {});
        place.replaceChildren("Shown this once: ", element("code", {}, token));
      }),
  );
  return element("div", {}, place, make);
}

function blockButton(device: Device): HTMLElement {
  const blocked = device.state === "blocked" || device.state === "denied";
  if (blocked)
    return button(
      "Let it in again",
      "plain",
      () =>
        void tell(async () => call("POST", `/api/devices/${device.deviceid}/approve`, { withoutCode: true })),
    );
  return button("Block", "danger", () => {
    if (!confirm(`Block ${nameOf(device)}? It gets no answers until you let it in again.`)) return;
    void tell(async () => {
      await call("POST", `/api/devices/${device.deviceid}/block`);
      notify(`${nameOf(device)} is blocked.`);
    });
  });
}

/** The parts, filled from the server; `refresh` loads them again. */
export function detailsOf(device: Device): { node: HTMLElement; refresh: () => void } {
  const id = device.deviceid;
  const pins = element("div");
  const boots = element("div");
  const refresh = () =>
    void tell(async () => {
      pins.replaceChildren(pinTable(await call<Pin[]>("GET", `/api/devices/${id}/pins`)));
      boots.replaceChildren(bootTable(await call<Boot[]>("GET", `/api/devices/${id}/boots?limit=10`)));
    });
  const node = element(
    "div.details",
    {},
    pins,
    pinForm(id, refresh),
    boots,
    tokenPart(device),
    element("p.hint", {}, "Id ", element("code", {}, id)),
    blockButton(device),
  );
  return { node, refresh };
}
