// The checks of what a phone sends besides a network: its layout, when it is believed, what it may replace, what is never sent.

import type { Mutant } from "./mutants.js";

const row = (name: string, file: string, find: string, replace: string, test: string): Mutant => ({
  ...{ name: `smartconfig: ${name}`, file: `${file}.ts`, find, replace },
  tests: [`test/${test}.test.ts`],
});

const layout = (name: string, find: string, replace: string) =>
  row(name, "firmware/protocol/reserved-data", find, replace, "firmware/protocol/reserved-data");
const heard = (name: string, file: string, find: string, replace: string) =>
  row(name, `firmware/connect/${file}`, find, replace, "firmware/connect/smartconfig");
const kept = (name: string, file: string, find: string, replace: string) =>
  row(name, `firmware/agent/${file}`, find, replace, "firmware/agent/sent-server");
const sender = (name: string, find: string, replace: string) =>
  row(name, "tools/smartconfig/reserved", find, replace, "tools/smartconfig/reserved");

export const smartconfigMutants: readonly Mutant[] = [
  layout("another app's data", "if (bytes[0] !== RESERVED_MARK)", "if (false)"),
  layout("flags that are not known", "if ((flags & ~KNOWN_FLAGS) !== 0)", "if (false)"),
  layout("at most 64 bytes", "bytes.length <= MAX_RESERVED", "true"),
  layout("leftovers", "bytes.length !== end + 1 || ", ""),
  layout("the end", " || bytes[end] !== RESERVED_MARK", ""),
  layout(
    "a host that is one",
    "server: parseServerUrl(url)",
    "server: { host: url, port: 1, pin: undefined }",
  ),
  row(
    "a name is written within 64 bytes",
    "firmware/protocol/reserved-data-writer",
    "if (size > MAX_RESERVED)",
    "if (false)",
    "firmware/protocol/reserved-data",
  ),
  heard(
    "no join key in the clear",
    "sent-server",
    "return { server: sent.server, joinKey: undefined };",
    "return sent;",
  ),
  heard(
    "with a key, no server in the clear",
    "sent-server",
    "if (touchKey(store) !== undefined)",
    "if (false)",
  ),
  heard(
    "a server answers before it is stored",
    "sent-server",
    "if (good) keep(",
    "if (good || server) keep(",
  ),
  heard(
    "a key that cannot be used is none",
    "smartconfig",
    "key !== undefined && isTouchKey(key) ? key : undefined",
    "key",
  ),
  heard("the key is handed over", "smartconfig", "touchKey(this.base.store)", "undefined"),
  kept(
    "a fresh server is tried at once",
    "agent",
    "if (!this.working && hasFreshServer(",
    "if (false && hasFreshServer(",
  ),
  kept(
    "one that worked replaces what was entered",
    "membership",
    "if (sent.url === url) setRecord",
    "if (false) setRecord",
  ),
  kept(
    "one that takes no device is forgotten",
    "membership",
    "  store.delete(SENT_SERVER);\n",
    "  if (sent.url === url) store.delete(SENT_SERVER);\n",
  ),
  kept(
    "one whose owner may still approve is not",
    "membership",
    "else if (store.get(PENDING_IDENTITY)) return;",
    "",
  ),
  sender("no join key in the clear is sent", "joinKey !== undefined && !sealed", "false"),
  sender("no join key without its server is sent", "joinKey !== undefined && server === undefined", "false"),
  row(
    "16 characters at the desk",
    "tools/patch/values",
    "[\\x20-\\x7e]{16}",
    "[\\x20-\\x7e]*",
    "tools/patch/patch",
  ),
  row(
    "no key as an argument",
    "tools/commands/smartconfig-answers",
    'typeof options.key === "string"',
    "false",
    "tools/commands/smartconfig",
  ),
];
