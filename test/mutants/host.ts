// The server's checks, each with the change that removes it and the tests that must notice.

import type { Mutant } from "./mutants.js";

const sync = ["test/host/sync.test.ts"];
const join = ["test/host/join.test.ts"];
const store = ["test/host/store/sqlite.test.ts"];
const releases = ["test/host/releases.test.ts"];
const pins = ["test/host/pins.test.ts"];
const admin = ["test/host/admin.test.ts"];

export const hostMutants: readonly Mutant[] = [
  {
    name: "server: an older request is stale",
    file: "host/store/sqlite-sync.ts",
    find: "if (!unseen) {",
    replace: "if (!unseen && boot < 0) {",
    tests: [...store, ...sync],
  },
  {
    name: "server: a repeated request has the same tag",
    file: "host/store/sqlite-sync.ts",
    find: " || !isSame(last.tag, tag))",
    replace: ")",
    tests: sync,
  },
  {
    name: "server: records at or below the watermark are left out",
    file: "host/store/sqlite-sync.ts",
    find: "if (!isAbove([boot, key], watermark)) continue;",
    replace: "",
    tests: store,
  },
  {
    name: "server: the kid belongs to the path",
    file: "host/sync.ts",
    find: "sealed.id === id ? await keys.get(id, sealed.g) : undefined",
    replace: "await keys.get(sealed.id, sealed.g)",
    tests: sync,
  },
  {
    name: "server: a blocked device gets what an unknown one gets",
    file: "host/sync.ts",
    find: 'if (!message || !device || device.state === "blocked" || device.state === "replaced") {',
    replace: "if (!message || !device) {",
    tests: [...sync, ...join],
  },
  {
    name: "server: a pending device's data is not taken",
    file: "host/sync-request.ts",
    find: 'if (state !== "approved")',
    replace: "if (state === undefined)",
    tests: join,
  },
  {
    name: "server: a device keeps its MAC",
    file: "host/store/sqlite-sync.ts",
    find: "WHEN mac <> '' OR ? IS NULL",
    replace: "WHEN ? IS NULL",
    tests: [...store, ...sync],
  },
  {
    name: "server: a device takes no other's MAC",
    file: "host/store/sqlite-sync.ts",
    find: "other.state = 'approved'",
    replace: "other.state = 'never'",
    tests: [...store, ...sync],
  },
  {
    name: "server: what a device says of itself is checked",
    file: "host/sync.ts",
    find: "x: checkState(request.x, faults)",
    replace: "x: request.x",
    tests: sync,
  },
  {
    name: "server: an invalid part spoils no request",
    file: "host/sync.ts",
    find: "decodeRequest(plaintext, faults)",
    replace: "decodeRequest(plaintext)",
    tests: sync,
  },
  {
    name: "server: M3's nonce is the one committed to",
    file: "host/sync.ts",
    find: "if (code === undefined) return false;",
    replace: "",
    tests: join,
  },
  {
    name: "server: the join key is valid before anything is computed",
    file: "host/join.ts",
    find: "if (!key || !this.#isValid(key)) throw rejected();",
    replace: "if (!key) throw rejected();",
    tests: join,
  },
  {
    name: "server: the same M1 gets the same M2",
    file: "host/join.ts",
    find: "if (known) return this.#again(known);",
    replace: "",
    tests: join,
  },
  {
    name: "server: a low-order point costs no computation",
    file: "host/join.ts",
    find: "if (isLowOrder(request.m.subarray(0, 32))) throw weakKey();",
    replace: "",
    tests: join,
  },
  {
    name: "server: the top bit hides no low-order point",
    file: "host/low-order.ts",
    find: "u[31]! &= 0x7f;",
    replace: "",
    tests: join,
  },
  {
    name: "server: joins a minute and key are bounded",
    file: "host/store/sqlite-joins.ts",
    find: ">= limits.perMinuteAndKey)",
    replace: ">= 1e9)",
    tests: [...store, ...join],
  },
  {
    name: "server: the fifth wrong code denies",
    file: "host/devices.ts",
    find: "if (tries < CODE_TRIES)",
    replace: "if (tries < 1e9)",
    tests: join,
  },
  {
    name: "server: the code is compared",
    file: "host/devices.ts",
    find: '!equalBytes(encodeUtf8(approval.code), encodeUtf8(code ?? ""))',
    replace: "approval.code.length === 0",
    tests: join,
  },
  {
    name: "server: the database is opened with the keys that wrote it",
    file: "host/keyring.ts",
    find: "if (known !== undefined && known !== fingerprint(key))",
    replace: 'if (known === "")',
    tests: admin,
  },
  {
    name: "server: V100 needs the scope ota",
    file: "host/routes/blynk.ts",
    find: '!token.scopes.includes("ota")',
    replace: "token.scopes.length === 0",
    tests: pins,
  },
  {
    name: "server: prefetching switches nothing",
    file: "host/routes/blynk.ts",
    find: "refusePrefetch(request);",
    replace: "",
    tests: pins,
  },
  {
    name: "server: the Host header is checked",
    file: "host/listener.ts",
    find: "if (host === undefined || !(extra.has(host) || own().has(host)))",
    replace: "if (host === undefined)",
    tests: admin,
  },
  {
    name: "server: a cookie from another site changes nothing",
    file: "host/admin-auth.ts",
    find: "checkSameSite(request);",
    replace: "",
    tests: admin,
  },
  {
    name: "server: a personalised image is refused",
    file: "host/released-image.ts",
    find: "!equalBytes(",
    replace: "equalBytes(new Uint8Array(1), new Uint8Array(2)) && !equalBytes(",
    tests: releases,
  },
  {
    name: "server: the list is the manifest's",
    file: "host/releases.ts",
    find: "if (encodeHex(crypto.sha256(list)) !== manifest.list)",
    replace: "if (manifest.list === undefined)",
    tests: releases,
  },
  {
    name: "server: the list is the image's",
    file: "host/releases.ts",
    find: "if (!equalBytes(list, computed))",
    replace: "if (list.length === 0)",
    tests: releases,
  },
  {
    name: "server: K is wrapped for its device alone",
    file: "host/keyring.ts",
    find: "wrapDeviceKey: (id, g, key) => wrap(`${id}|${g}`, key),",
    replace: "wrapDeviceKey: (_id, _g, key) => key,",
    tests: join,
  },
  {
    name: "server: a pin never lowers the version",
    file: "host/releases.ts",
    find: "if (!down && compareVersions(release.version, device.version) <= 0)",
    replace: "if (down && compareVersions(release.version, device.version) === 99)",
    tests: releases,
  },
];
