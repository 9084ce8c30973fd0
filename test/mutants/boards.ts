// The checks of what the boards share: crypto over the SDK's module, order on the radio, slots, flash, records.

import type { Mutant } from "./mutants.js";

const sdk = (file: string, tests: string) => (name: string, find: string, replace: string) => ({
  ...{ name: `board, ${file}: ${name}`, file: `firmware/device/sdk/${file}.ts`, find, replace },
  tests: [`test/firmware/device/sdk/${tests}.test.ts`],
});
const gcm = sdk("gcm", "crypto");
const crypto = sdk("sdk-crypto", "crypto");
const station = sdk("serial-station", "serial-station");
const slots = sdk("ota-slots", "ota-slots");
const region = sdk("nor-region", "chip");
const scan = sdk("scan-record", "records");
const touch = sdk("touch-record", "touch");
const listener = sdk("touch-listener", "touch");
const reasons = sdk("wifi-reasons", "wifi-reasons");

export const boardMutants: readonly Mutant[] = [
  gcm("every byte of the tag", "i < TAG_SIZE; i += 1) difference", "i < 1; i += 1) difference"),
  gcm("the counter of data", "counterBlock(nonce, 2)", "counterBlock(nonce, 1)"),
  crypto(
    "a hash that is over",
    'if (!digester) throw new Error("digest after digest");',
    "if (!digester) return new Uint8Array(32);",
  ),
  crypto("whole blocks alone", "if (data.length % AES_BLOCK_SIZE !== 0)", "if (false)"),
  station("no scan while an association is made", 'if (this.link === "joining") {', "if (false) {"),
  station(
    "a scan ends before a join",
    'if (this.scanning || this.link === "leaving") return;',
    'if (this.link === "leaving") return;',
  ),
  station(
    "the end of the earlier join is not told",
    "    this.events = undefined;\n    this.wanted = { target, events };",
    "    this.wanted = { target, events };",
  ),
  station("an address is told once", " || this.addressed) return;", ") return;"),
  station("a chip that says nothing", "LEAVE_MS)", "1e9)"),
  slots("the running slot has an entry", "if (!this.driver.runningIsSelected()) {", "if (false) {"),
  slots("not during a trial", 'if (this.state("running") === "pending-verify")', "if (false)"),
  slots("an aborted trial alone", 'if (state !== "aborted")', "if (false)"),
  slots(
    "the entry that is marked is the running slot's",
    "if (!this.driver.runningIsSelected())\n",
    "if (false)\n",
  ),
  region("bits are not set", "if ((there[i]! & bytes[i]!) !== bytes[i])", "if (false)"),
  region("bounds", "offset + length > this.size", "false"),
  region("the running slot is not written", "if (this.readOnly)", "if (false)"),
  scan("a name's length", "if (bytes[at]! > SSID_SIZE) continue;", ""),
  touch("a part's length", "length > limit || ", ""),
  touch("leftovers", "at !== record.length || ", ""),
  touch("characters of a password", "byte < 32 || byte > 126", "false"),
  listener("credentials come once", "else if (!this.events) return;\n", ""),
  listener(
    "the vendor's code is stopped",
    "    this.running = false;\n    this.driver.stop();\n  }\n\n  acknowledge",
    "    this.running = false;\n  }\n\n  acknowledge",
  ),
  reasons("the status counts where it says more", "reasonOf(said) === reasonOf(event)", "true"),
];
