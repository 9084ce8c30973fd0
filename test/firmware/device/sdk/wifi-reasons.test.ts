// Raw reason codes of the chips and the vocabulary.

import test from "ava";
import { esp8266Raw, reasonOf } from "../../../../firmware/device/sdk/wifi-reasons.js";

const VOCABULARY = ["wrong-password", "not-found", "timeout"]; // CONTRACT.md; no-address is the firmware's own

test("every code that a chip can send has a word", (t) => {
  for (let raw = 0; raw < 256; raw += 1) t.true(VOCABULARY.includes(reasonOf(raw)), String(raw));
});

test("a wrong password, an absent network and a silent one are told apart", (t) => {
  const cases: [number, string][] = [
    [2, "wrong-password"],
    [15, "wrong-password"],
    [202, "wrong-password"],
    [204, "wrong-password"],
    [201, "not-found"],
    [211, "not-found"],
    [200, "timeout"],
    [203, "timeout"],
    [8, "timeout"],
    [20, "not-found"],
  ];
  for (const [raw, reason] of cases) t.is(reasonOf(raw), reason, String(raw));
});

test("an ESP8266's connect status is believed where it is more definite than the event", (t) => {
  const [idle, wrongPassword, noApFound, gotIp] = [0, 2, 3, 5];
  t.is(esp8266Raw(8, wrongPassword), 202);
  t.is(esp8266Raw(1, noApFound), 201);
  t.is(esp8266Raw(15, wrongPassword), 15); // the event's own code is kept where both say the same
  t.is(esp8266Raw(201, noApFound), 201);
  t.is(esp8266Raw(200, gotIp), 200);
  t.is(esp8266Raw(3, idle), 3);
});
