// What a maker needs on the page besides devices: the address for devices, join keys, releases.

import { call, type JoinKey, type Release, type ServerInfo } from "./api.js";
import { button, element, field } from "./element.js";
import { bytesText, dateText } from "./format.js";
import { notify, tell } from "./notices.js";

function copyable(text: string): HTMLElement {
  const copy = button(
    "Copy",
    "plain",
    () =>
      void tell(async () => {
        await navigator.clipboard.writeText(text);
        notify("Copied.");
      }),
  );
  copy.classList.add("small");
  return element("p.copyable", {}, element("code", {}, text), copy);
}

function keyText(key: JoinKey): string {
  const parts = [key.label, `${key.used}${key.uses === null ? "" : ` of ${key.uses}`} used`];
  if (key.revoked) parts.push("revoked");
  else if (key.expires !== null)
    parts.push(`${key.expires > Date.now() ? "until" : "expired"} ${dateText(key.expires)}`);
  return parts.filter(Boolean).join(" · ");
}

function keyList(keys: JoinKey[], reload: () => void): HTMLElement {
  const revoke = (key: JoinKey) => {
    if (!confirm(`Revoke ${key.label || key.kid}? Devices that joined with it stay.`)) return;
    void tell(async () => {
      await call("DELETE", `/api/join-keys/${key.kid}`);
      reload();
    });
  };
  const rows = keys.map((key) =>
    element(
      "li",
      {},
      element("span", {}, element("code", {}, key.kid), ` ${keyText(key)}`),
      !key.revoked && button("Revoke", "danger", () => revoke(key)),
    ),
  );
  return element("ul.rows", {}, ...rows);
}

function joinKeys(): HTMLElement {
  const place = element("div");
  const made = element("div");
  const label = element("input", {
    maxlength: 64,
    autocomplete: "off",
    placeholder: "for example: workshop",
  });
  const form = element(
    "form.inline",
    {},
    field("New join key for", label),
    element("button.plain", { type: "submit" }, "Make"),
  );
  const load = async () => {
    const keys = await call<JoinKey[]>("GET", "/api/join-keys");
    place.replaceChildren(keyList(keys, () => void tell(load)));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void tell(async () => {
      const { key } = await call<JoinKey>("POST", "/api/join-keys", { label: label.value.trim() });
      made.replaceChildren(element("p.hint", {}, "Shown this once:"), copyable(key!));
      await load();
    });
  });
  void tell(load);
  return element(
    "section",
    { "aria-label": "Join keys" },
    element("h3", {}, "Join keys"),
    element(
      "p.hint",
      {},
      "Patched into an image, a join key lets a device ask to be let in. You approve each one.",
    ),
    place,
    form,
    made,
  );
}

function releaseList(releases: Release[]): HTMLElement {
  if (releases.length === 0)
    return element("p.hint", {}, "None yet: ", element("code", {}, "broome release publish build/esp32c3"));
  const rows = [...releases]
    .reverse()
    .map((release) =>
      element(
        "li",
        {},
        element(
          "span",
          {},
          element("strong", {}, `${release.product} ${release.version}`),
          ` ${[release.chip, bytesText(release.size), dateText(release.created), release.withdrawn && "withdrawn"].filter(Boolean).join(" · ")}`,
        ),
      ),
    );
  return element("ul.rows", {}, ...rows);
}

/** The section, filled as answers come. */
export function settings(releases: Release[]): HTMLElement {
  const address = element("div");
  void tell(async () => {
    const { deviceUrl } = await call<ServerInfo>("GET", "/api/server");
    address.replaceChildren(copyable(deviceUrl));
  });
  return element(
    "details.panel.settings",
    {},
    element("summary", {}, "Address, join keys, releases"),
    element(
      "section",
      { "aria-label": "Address for devices" },
      element("h3", {}, "Address for devices"),
      element(
        "p.hint",
        {},
        "What follows # is this server's pin: devices trust nobody else. Write it whole.",
      ),
      address,
    ),
    joinKeys(),
    element("section", { "aria-label": "Releases" }, element("h3", {}, "Releases"), releaseList(releases)),
  );
}
