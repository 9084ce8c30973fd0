// The checks of the firmware: updates, trials, the store, pins, networks and notes.

import type { Mutant } from "./mutants.js";

const refusals = ["test/firmware/ota/refusals.test.ts"];
const powerCut = ["test/firmware/ota/power-cut.test.ts"];
const stored = ["test/firmware/store/log-store.test.ts"];
const pinned = ["test/firmware/pins/pins.test.ts"];
const networks = ["test/firmware/connect/networks.test.ts"];
const telemetry = ["test/firmware/telemetry/telemetry.test.ts"];

const row = (name: string, file: string, find: string, replace: string, tests: string[]): Mutant => ({
  ...{ name, file: `firmware/${file}.ts`, find, replace, tests },
});
const updater = (name: string, find: string, replace: string) =>
  row(`updater: ${name}`, "ota/updater", find, replace, refusals);
const trial = (name: string, find: string, replace: string) =>
  row(`trial: ${name}`, "ota/trial", find, replace, [...refusals, ...powerCut]);
const store = (name: string, find: string, replace: string) =>
  row(`store: ${name}`, "store/log-store", find, replace, stored);
const pins = (name: string, find: string, replace: string) =>
  row(`pins: ${name}`, "pins/pins", find, replace, pinned);

const updates: Mutant[] = [
  updater("a wrong manifest only waits", 'if (refusal === "digest-mismatch") return false;', ""),
  updater(
    "a wrong status only waits",
    'throw new LinkError("malformed", `answer',
    "throw new UpdateError(`answer",
  ),
  updater("a wrong answer only waits", 'throw new LinkError("malformed", `the', "throw new UpdateError(`the"),
  updater(
    "no keys, no updates",
    'if (config.updateKeys.length === 0) throw new UpdateError("updates-off");',
    "",
  ),
  updater("the store's counter", "minimumSc: getCount(store, MINIMUM_SC),", "minimumSc: 0,"),
  updater(
    "failed images",
    "failed: (sha256) => memory.f.includes(shortHash(sha256)),",
    "failed: () => false,",
  ),
  updater("first the mark goes", "device.slots!.invalidateOther();", ""),
  updater("list", "if (encodeHex(digest) !== manifest.list) return false;", ""),
  updater("chunk", "if (!equalBytes(entry, digest.subarray(0, CHUNK_DIGEST))) return false;", ""),
  updater(
    "the whole is read back",
    "if (encodeHex(this.hashOf(other, 0, manifest.size)) !== manifest.sha256)",
    "if (false)",
  ),
  updater("descriptor's version", "if (version !== manifest.version || ", "if ("),
  updater("descriptor's counter", " || secureVersion !== manifest.sc)", ")"),
  row(
    "updater: selected is remembered first",
    "ota/updater",
    'saveMemory(store, { ...loadMemory(store), s: "selected" });',
    "",
    powerCut,
  ),
];

const trials: Mutant[] = [
  trial("a lost mark", '(state === "empty" && memory.s === "trial")', "false"),
  trial("crashes count", "INNOCENT.includes(start.cause) && ", ""),
  trial("three times", " && memory.n < MAX_REARMS", ""),
  trial("a bound reply", "!this.bound || ", ""),
  trial("time up", " || device.system.uptimeMs() < this.uptimeMs", ""),
  trial("the counter is raised", "setCount(store, MINIMUM_SC, ", "void ("),
  trial("a cut after the mark", "confirm(base); //", "//"),
  trial("failures are remembered", "saveFailure(store, loadMemory(store), reason);", ""),
  trial("back to the old one", "device.slots!.markInvalid();", ""),
];

const records: Mutant[] = [
  store(
    "a record's CRC",
    "return crc === this.checksum(value,",
    "return crc !== -1 || !this.checksum(value,",
  ),
  store("a sector's CRC", "=== this.checksum(header.subarray(0, 8)) ? sequence : 0", "> -1 ? sequence : 0"),
  store("length's check byte", "header[1] !== checkByte(header) ||", ""),
  store("only erased bytes are written", "return this.isErased(at, limit) ? at : limit;", "return at;"),
  store("spare sectors", "let moved = this.nextToMove();", "let moved = 0;"),
  store("no sector is erased that counts", "this.live[sector] === 0) next = sector;", "true) next = sector;"),
  store("nothing is written twice", "if (this.holds(key, value)) return;", ""),
  store("a value's limit", "if (value.length > MAX_VALUE)", "if (false)"),
];

const others: Mutant[] = [
  pins("0 is no trigger", "value === TAKEN_BACK || ", ""),
  pins("a revision is processed once", "revision > this.processed", "true"),
  pins("the trigger's revision was carried", " && this.trigger.r <= carried ?", " ?"),
  pins(
    "in the store before the program hears",
    "this.processed = reached;\n    this.commit();",
    "this.processed = reached;",
  ),
  pins("the gadget's own pins", "checkOwn(pin);\n    scalar(", "scalar("),
  row("networks: bytes", "connect/networks", "measure(password)", "password.length", networks),
  row(
    "networks: hex keys",
    "connect/networks",
    "isHexDigest(password.toLowerCase())",
    "password.length === 64",
    networks,
  ),
  row("networks: length of a name", "connect/networks", "ssid.length > MAX_SSID", "false", networks),
  row(
    "notes: bytes",
    "telemetry/note",
    "if (measure(text) <= MAX_NOTE)",
    "if (text.length <= MAX_NOTE)",
    telemetry,
  ),
  row("notes: whole characters", "telemetry/note", "(bytes[end]! & 0xc0) === 0x80", "false", telemetry),
  row(
    "causes: an intention explains one start",
    "telemetry/causes",
    'if (w !== "") writeIntention(store, "", "", 0);',
    "",
    telemetry,
  ),
];

export const firmwareMutants: readonly Mutant[] = [...updates, ...trials, ...records, ...others];
