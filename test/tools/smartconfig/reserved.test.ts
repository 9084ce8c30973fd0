// What a sender of ours adds to name and password, and what it never sends.

import test from "ava";
import { parseReserved } from "../../../firmware/protocol/reserved-data.js";
import { reservedOf } from "../../../tools/smartconfig/reserved.js";

const server = "http://broome.local:3000/#uROGQNHjVgemEpRs1i8DAw";
const joinKey = "Bd1zXq0aYGFiY2RlZmdoaWprbG1ubw";

test("a server goes in the clear, a join key under v2's key alone", (t) => {
  t.is(reservedOf({ server: undefined, joinKey: undefined }, true), undefined);
  const clear = parseReserved(reservedOf({ server, joinKey: undefined }, false)!);
  t.deepEqual([clear.server.host, clear.joinKey], ["broome.local", undefined]);
  t.is(parseReserved(reservedOf({ server, joinKey }, true)!).joinKey, joinKey);
  const error = t.throws(() => reservedOf({ server, joinKey }, false), { code: "join-key-unencrypted" });
  t.false(error!.message.includes(joinKey));
});

for (const [code, extras] of [
  ["value-missing", { server: undefined, joinKey }],
  ["server-url-invalid", { server: "https://x", joinKey }],
  ["join-key-invalid", { server, joinKey: "short" }],
  ["reserved-data-too-long", { server: server.replace("broome.local", "twenty-one-characters"), joinKey }],
] as const)
  test(`${code}: nothing is made`, (t) => {
    t.throws(() => reservedOf(extras, true), { code });
  });
