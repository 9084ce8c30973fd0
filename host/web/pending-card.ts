// A device that asks to be let in: what it claims to be, its code, and the owner's decision.

import { call, type Device } from "./api.js";
import { button, element, field } from "./element.js";
import { ago, codeText, nameOf } from "./format.js";
import { notify, tell } from "./notices.js";

function digitsInput(): HTMLInputElement {
  return element("input.digits", {
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: 7,
    pattern: "[0-9]{3} ?[0-9]{3}",
    placeholder: "000 000",
    required: true,
    title: "six digits",
  });
}

function facts(device: Device): string {
  const signal = device.rssi === null ? undefined : `${device.rssi} dBm`;
  return [device.product, device.version, device.chip, device.mac, signal].filter(Boolean).join(" · ");
}

/** The card; it goes when the device is no longer pending. */
export function pendingCard(device: Device, claimed: Device | undefined): HTMLElement {
  const id = device.deviceid;
  const code = digitsInput();
  const name = element("input", {
    maxlength: 32,
    autocomplete: "off",
    value: device.name,
    placeholder: claimed?.name || "for example: porch",
  });
  const form = element(
    "form.approve",
    {},
    field("Digits that the device shows", code),
    field("Name", name),
    element(
      "div.actions",
      {},
      element("button.main", { type: "submit" }, "Approve"),
      button("Deny", "danger", () => void tell(async () => call("POST", `/api/devices/${id}/deny`))),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void tell(async () => {
      const body = {
        code: code.value.replace(" ", ""),
        ...(name.value.trim() && { name: name.value.trim() }),
      };
      const approved = await call<Device>("POST", `/api/devices/${id}/approve`, body);
      notify(`${nameOf(approved)} is let in.`);
    }).then((done) => done || code.select());
  });
  return element(
    "article.panel.pending",
    { "aria-label": `New device ${device.mac}` },
    element("h3", {}, "A device asks to be let in"),
    element("p.facts", {}, facts(device)),
    claimed &&
      element(
        "p.warning",
        {},
        `It claims to be ${nameOf(claimed)}, last seen ${ago(claimed.lastseen)}. Approve it only if you have just set that device up again: it takes the old one's place.`,
      ),
    element("p.code", {}, "Code: ", element("strong", {}, codeText(device.code ?? ""))),
    element("p.hint", {}, "The device must show the same six digits. If it shows others, deny it."),
    form,
  );
}
