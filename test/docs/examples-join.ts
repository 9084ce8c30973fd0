// Examples of SPEC.md: a whole join with fixed keys, and the texts that go with it.

import { deepEqual, equal } from "node:assert/strict";
import { crypto } from "../../host/crypto.js";
import { encodeBase64url } from "../../firmware/protocol/base64url.js";
import {
  finishJoin,
  formatJoinKey,
  makeM2,
  openM1,
  openM3,
  parseJoinKey,
  parseJoinRequest,
  serverPin,
  startJoin,
} from "../../firmware/protocol/join.js";
import { parseServerUrl } from "../../firmware/protocol/server-url.js";
import type { Examples } from "./example.js";
import {
  counting,
  fixedRandom,
  ID,
  JOIN_KEY,
  MAC,
  NOW,
  PIN,
  SERVER,
  SERVER_URL,
  text,
  utf8,
} from "./fixed.js";
import { folded, hex, list, unfolded, valueOf } from "./spec-file.js";

const N = counting(0xb0, 16);
const about = { mac: MAC, chip: "esp32c3", product: "broome-example", v: "1.0.0", rssi: -60, pin: PIN };

/** The join with the device's n and ephemeral key, and the server's ephemeral key, fixed. */
function play() {
  const device = startJoin(fixedRandom(N, counting(0x80, 32)), JOIN_KEY, about);
  const request = parseJoinRequest(device.body);
  const server = openM1(fixedRandom(counting(0x20, 32)), request, JOIN_KEY.secret, SERVER);
  const admitted = makeM2(crypto, server, { id: ID, t: NOW });
  return { device, server, admitted };
}

export const joinExamples: Examples = {
  "server-pin": {
    make: () =>
      list([
        ["S, secret", hex(SERVER.secret)],
        ["S, public", hex(SERVER.publicKey)],
        ["pin", PIN],
        ["address", SERVER_URL],
      ]),
    check(shown) {
      const publicKey = Buffer.from(valueOf(shown, "S, public"), "hex");
      equal(serverPin(crypto, publicKey), valueOf(shown, "pin"));
      const { host, port, pin } = parseServerUrl(valueOf(shown, "address"));
      deepEqual([host, port, pin], ["192.168.6.10", 3000, PIN]);
    },
  },
  "join-key": {
    make: () =>
      list([
        ["kid", JOIN_KEY.kid],
        ["secret", hex(JOIN_KEY.secret)],
        ["text", formatJoinKey(JOIN_KEY)],
      ]),
    check: (shown) => deepEqual(parseJoinKey(valueOf(shown, "text")), JOIN_KEY),
  },
  "join-hello": {
    make: () => folded(JSON.stringify(play().server.hello)),
    check: (shown) => deepEqual(JSON.parse(unfolded(shown)), play().server.hello),
  },
  "join-m1": {
    make: () => folded(text(play().device.body)),
    check(shown) {
      const { hello } = openM1(crypto, parseJoinRequest(utf8(unfolded(shown))), JOIN_KEY.secret, SERVER);
      deepEqual(hello, play().server.hello);
    },
  },
  "join-m2": {
    make: () => folded(text(play().admitted.body)),
    check(shown) {
      const { device, admitted } = play();
      const joined = finishJoin(crypto, device, utf8(unfolded(shown)), PIN);
      deepEqual([joined.id, joined.t, joined.key], [ID, NOW, admitted.key]);
    },
  },
  "join-result": {
    make() {
      const { device, server, admitted } = play();
      const { code, key } = finishJoin(crypto, device, admitted.body, PIN);
      deepEqual(key, admitted.key);
      equal(openM3(crypto, { h: admitted.h, c: server.hello.c }, encodeBase64url(N)), code);
      return list([
        ["n", hex(N)],
        ["device's e", hex(counting(0x80, 32))],
        ["server's e", hex(counting(0x20, 32))],
        ["h", hex(admitted.h)],
        ["K", hex(key)],
        ["code", code],
      ]);
    },
  },
};
