// Examples of SPEC.md: the sealed round trip and the HTTP that carries it.

import { deepEqual, equal } from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { compactDecrypt } from "jose";
import { crypto } from "../../host/crypto.js";
import { HttpClient, type HttpRequest } from "../../firmware/link/http.js";
import {
  deriveKeys,
  openReply,
  openRequest,
  parseSealed,
  sealReply,
  sealRequest,
} from "../../firmware/protocol/sealed.js";
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type SyncReply,
  type SyncRequest,
} from "../../firmware/protocol/sync-message.js";
import type { Example, Examples } from "./example.js";
import { counting, fixedRandom, ID, K, MAC, NOW, text, utf8 } from "./fixed.js";
import { folded, hex, list, unfolded } from "./spec-file.js";

const keys = deriveKeys(crypto, K, ID);

export const request: SyncRequest = {
  ...{ b: 3, s: 1, u: 4210, t: 0, w: 0, m: 1600, p: 7, c: 0 },
  x: { ssid: "Broome", ip: "192.168.6.2", rssi: -60, mac: MAC, chip: "esp32c3", version: "1.0.1" },
  r: [
    [3, 1, 3150, "temperature", 30.5],
    [3, 2, 3150, "humidity", 58],
  ],
  l: [[3, "ota", "1.0.1", 61234, "to 1.0.1"]],
};

export const reply: SyncReply = {
  t: NOW,
  a: [3, 2],
  la: 3,
  p: 8,
  w: [[8, 1, "on"]],
  n: "Bret's gadget",
};

function sealedRequest(): { bytes: Uint8Array; tag: string } {
  const random = fixedRandom(counting(0xa0, 16));
  const plaintext = encodeRequest(request, 1024);
  return sealRequest(random, keys, { id: ID, g: 1, b: request.b, s: request.s, plaintext });
}

function sealedReply(): Uint8Array {
  const { tag } = sealedRequest();
  const plaintext = encodeReply(reply, 4096);
  return sealReply(fixedRandom(counting(0xb0, 16)), keys, { id: ID, g: 1, re: tag, plaintext });
}

/** A plaintext as it is, on one line; it is what the sealed example next to it opens to. */
function plaintext(
  encoded: () => Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
  value: object,
): Example {
  return {
    make: () => folded(text(encoded())),
    check: (shown) => deepEqual(decode(utf8(unfolded(shown))), value),
  };
}

/** `jose` opens what our own lines sealed. */
async function openWithJose(message: string, key: Uint8Array): Promise<string> {
  return text((await compactDecrypt(message, key)).plaintext);
}

/** What a client puts on the wire. */
function sent(request: HttpRequest): string {
  const parts: Uint8Array[] = [];
  let connected = (_room: number): void => undefined;
  const client = new HttpClient({
    host: "192.168.6.10",
    port: 3000,
    resolve: () => undefined,
    timer: { set: () => 0, repeat: () => 0, clear: () => undefined },
    tcp(options) {
      connected = (room) => options.onWritable(room);
      return {
        read: () => undefined,
        write: (bytes) => void parts.push(bytes.slice()),
        close: () => undefined,
      };
    },
  });
  client.request(request).catch(() => undefined);
  connected(65536);
  client.close();
  return Buffer.concat(parts).toString("latin1").replaceAll("\r\n", "\n");
}

const get = { method: "GET", timeoutMs: 1, maxBody: 4096 } as const;

export const wireExamples: Examples = {
  "sync-keys": {
    make() {
      const derived = (info: string) =>
        hex(new Uint8Array(hkdfSync("sha256", K, "", `broome/1 sync ${info}|${ID}`, 32)));
      const rows = [
        ["id", ID],
        ["K", hex(K)],
        ["K_up", derived("c2s")],
        ["K_down", derived("s2c")],
        ["K_iv", derived("iv")],
      ] as const;
      deepEqual(
        [keys.up, keys.down, keys.iv].map((key) => hex(key)),
        rows.slice(2).map(([, key]) => key),
      );
      return list(rows);
    },
  },
  "sync-request-plaintext": plaintext(() => encodeRequest(request, 1024), decodeRequest, request),
  "sync-request-iv": {
    make() {
      const count = Uint8Array.of(0, 0, 0, 3, 0, 0, 0, 1);
      const random = counting(0xa0, 16);
      const iv = crypto.hmacSha256(keys.iv, count, random).slice(0, 16);
      deepEqual(parseSealed(sealedRequest().bytes).iv, iv);
      return list([
        ["b, s", hex(count)],
        ["random", hex(random)],
        ["IV", hex(iv)],
      ]);
    },
  },
  "sync-request": {
    make: () => folded(text(sealedRequest().bytes)),
    async check(shown) {
      const sealed = parseSealed(utf8(unfolded(shown)));
      deepEqual(decodeRequest(openRequest(crypto, keys, sealed)), request);
      equal(await openWithJose(unfolded(shown), keys.up), text(encodeRequest(request, 1024)));
    },
  },
  "sync-reply-plaintext": plaintext(() => encodeReply(reply, 4096), decodeReply, reply),
  "sync-reply": {
    make: () => folded(text(sealedReply())),
    async check(shown) {
      const re = sealedRequest().tag;
      const bytes = utf8(unfolded(shown));
      deepEqual(decodeReply(openReply(crypto, keys, { id: ID, g: 1, re }, bytes)), reply);
      equal(await openWithJose(unfolded(shown), keys.down), text(encodeReply(reply, 4096)));
    },
  },
  "http-sync": {
    make() {
      const { bytes } = sealedRequest();
      const whole = sent({
        ...{ method: "POST", path: `/api/devices/${ID}/sync`, contentType: "application/jose" },
        ...{ body: bytes, timeoutMs: 1, maxBody: 1600 },
      });
      return whole.replace(text(bytes), "(the sealed request)");
    },
  },
  "http-range": {
    make: () =>
      sent({
        ...{ ...get, path: `/fw/${"5f".repeat(32)}.bin`, keepAlive: true },
        range: { first: 4096, length: 4096, total: 131072 },
      }).trimEnd(),
  },
};
