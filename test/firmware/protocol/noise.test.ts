import test from "ava";
import { readFileSync } from "node:fs";
import nacl from "tweetnacl";
import { Handshake, NX_PSK0, generateKeyPair, nonce } from "../../../firmware/protocol/noise.js";
import type { HandshakeOptions, KeyPair, Pattern, Token } from "../../../firmware/protocol/noise.js";
import { crypto } from "../../../host/crypto.js";
import { LOW_ORDER_POINTS } from "../../support/low-order.js";

interface Vector {
  source: string;
  protocol_name: string;
  init_prologue: string;
  init_psks?: string[];
  init_static?: string;
  init_ephemeral: string;
  resp_prologue: string;
  resp_psks?: string[];
  resp_static?: string;
  resp_ephemeral: string;
  handshake_hash?: string;
  messages: { payload: string; ciphertext: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/noise-25519-aesgcm-sha256.json", import.meta.url), "utf8"),
) as Vector[];

const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
const none = new Uint8Array(0);

/** Noise revision 34, sections 7.4 and 7.5: the fundamental patterns without pre-messages. */
const fundamental: Record<string, Token[][]> = {
  NN: [["e"], ["e", "ee"]],
  NX: [["e"], ["e", "ee", "s", "es"]],
  XN: [["e"], ["e", "ee"], ["s", "se"]],
  IN: [
    ["e", "s"],
    ["e", "ee", "se"],
  ],
  XX: [["e"], ["e", "ee", "s", "es"], ["s", "se"]],
  IX: [
    ["e", "s"],
    ["e", "ee", "se", "s", "es"],
  ],
};

/** Section 9.3: psk0 stands before the first message's tokens, pskN after the N-th's. */
function patternOf(name: string): Pattern {
  const [, base, psk] = /^([NXI]{2})(?:psk(\d))?$/.exec(name)!;
  const messages = fundamental[base!]!.map((tokens) => tokens.slice());
  if (psk === "0") messages[0]!.unshift("psk");
  else if (psk) messages[Number(psk) - 1]!.push("psk");
  return { name, messages };
}

function pairOf(secret: string | undefined): KeyPair | undefined {
  return secret === undefined
    ? undefined
    : { secret: hex(secret), publicKey: crypto.x25519Public(hex(secret)) };
}

function sides(vector: Vector): { initiator: Handshake; responder: Handshake; pattern: Pattern } {
  const pattern = patternOf(vector.protocol_name.split("_")[1]!);
  const initiator = new Handshake(crypto, {
    pattern,
    initiator: true,
    prologue: hex(vector.init_prologue),
    psk: vector.init_psks && hex(vector.init_psks[0]!),
    s: pairOf(vector.init_static),
    e: pairOf(vector.init_ephemeral),
  });
  const responder = new Handshake(crypto, {
    pattern,
    initiator: false,
    prologue: hex(vector.resp_prologue),
    psk: vector.resp_psks && hex(vector.resp_psks[0]!),
    s: pairOf(vector.resp_static),
    e: pairOf(vector.resp_ephemeral),
  });
  return { initiator, responder, pattern };
}

for (const vector of vectors)
  test(`${vector.protocol_name}, as ${vector.source} has it`, (t) => {
    const { initiator, responder, pattern } = sides(vector);
    for (const [i, { payload, ciphertext }] of vector.messages.slice(0, pattern.messages.length).entries()) {
      const [from, to] = i % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const message = from.write(hex(payload));
      t.deepEqual(message, hex(ciphertext), `message ${i}`);
      t.deepEqual(to.read(message), hex(payload), `message ${i}`);
    }
    t.deepEqual(initiator.hash, responder.hash);
    if (vector.handshake_hash) t.deepEqual(initiator.hash, hex(vector.handshake_hash));
    t.deepEqual(initiator.split(), responder.split());
    const [up, down] = initiator.split();
    const sent = [0, 0];
    for (const [i, { payload, ciphertext }] of vector.messages.entries()) {
      if (i < pattern.messages.length) continue;
      const key = i % 2 === 0 ? up : down;
      t.deepEqual(crypto.aesGcmSeal(key, nonce(sent[i % 2]!++), none, hex(payload)), hex(ciphertext));
    }
  });

test("the vectors cover the join's own pattern and every token", (t) => {
  t.true(vectors.some(({ protocol_name }) => protocol_name.includes(`_${NX_PSK0.name}_`)));
  t.deepEqual(patternOf("NXpsk0").messages, NX_PSK0.messages as Token[][]);
});

/** A fresh join-like pair. */
function joinPair(change: Partial<HandshakeOptions> = {}) {
  const psk = crypto.random(32);
  const options = { pattern: NX_PSK0, prologue: none, psk };
  return {
    device: new Handshake(crypto, { ...options, initiator: true }),
    server: new Handshake(crypto, { ...options, initiator: false, s: generateKeyPair(crypto), ...change }),
  };
}

test("every byte of either message flipped is refused, and the true one still opens afterwards", (t) => {
  const { device, server } = joinPair();
  const m1 = device.write(Uint8Array.of(1, 2, 3));
  for (let i = 0; i < m1.length; i++) {
    const flipped = m1.slice();
    flipped[i]! ^= 1;
    t.throws(() => server.read(flipped), { code: "noise-unauthenticated" }, `M1 byte ${i}`);
  }
  t.deepEqual(server.read(m1), Uint8Array.of(1, 2, 3));
  const m2 = server.write(Uint8Array.of(4));
  for (let i = 0; i < m2.length; i++) {
    const flipped = m2.slice();
    flipped[i]! ^= 0x80;
    // The top bit of a public key is ignored by X25519, but not by the hash.
    t.throws(() => device.read(flipped), { code: "noise-unauthenticated" }, `M2 byte ${i}`);
  }
  t.deepEqual(device.read(m2), Uint8Array.of(4));
  t.deepEqual(device.split(), server.split());
});

test("messages cut anywhere are refused", (t) => {
  const { device, server } = joinPair();
  const m1 = device.write(none);
  for (let length = 0; length < m1.length; length++)
    t.throws(() => server.read(m1.subarray(0, length)), undefined, `${length} bytes`);
  t.throws(() => server.read(new Uint8Array(65536)), { code: "noise-malformed" });
  server.read(m1);
  const m2 = server.write(none);
  for (let length = 0; length < m2.length; length++)
    t.throws(() => device.read(m2.subarray(0, length)), undefined, `${length} bytes`);
});

test("another prologue or another pre-shared key is refused", (t) => {
  for (const change of [{ prologue: Uint8Array.of(1) }, { psk: crypto.random(32) }]) {
    const { device, server } = joinPair(change);
    const m1 = device.write(none);
    t.throws(() => server.read(m1), { code: "noise-unauthenticated" });
  }
});

for (const point of LOW_ORDER_POINTS)
  test(`a key that gives no secret is refused: ${point.slice(0, 8)}...`, (t) => {
    const bad = { secret: crypto.random(32), publicKey: hex(point) };
    t.deepEqual(crypto.x25519(bad.secret, bad.publicKey), new Uint8Array(32));
    const psk = crypto.random(32);
    const options = { pattern: NX_PSK0, prologue: none, psk };
    const device = new Handshake(crypto, { ...options, initiator: true, e: bad });
    const server = new Handshake(crypto, { ...options, initiator: false, s: generateKeyPair(crypto) });
    server.read(device.write(none));
    t.throws(() => server.write(none), { code: "noise-weak-key" });
    // The other way round: the server's ephemeral key. The server cannot compute on, so only M2's first part is real.
    const honest = new Handshake(crypto, { ...options, initiator: true });
    honest.write(none);
    t.throws(() => honest.read(Uint8Array.of(...bad.publicKey, ...new Uint8Array(64))), {
      code: "noise-weak-key",
    });
  });

test("steps out of order are errors of the caller", (t) => {
  const { device, server } = joinPair();
  t.throws(() => server.write(none), { message: /other side's turn/ });
  t.throws(() => device.split(), { message: /not over/ });
  server.read(device.write(none));
  t.throws(() => device.write(none), { message: /other side's turn/ });
  device.read(server.write(none));
  t.throws(() => device.write(none), { message: /over/ });
});

test("X25519 agrees with tweetnacl on random keys and with RFC 7748 section 5.2", (t) => {
  t.deepEqual(
    crypto.x25519(
      hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
      hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    ),
    hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
  );
  for (let i = 0; i < 20; i++) {
    const [secret, point] = [crypto.random(32), crypto.random(32)];
    t.deepEqual(crypto.x25519(secret, point), nacl.scalarMult(secret, point));
    t.deepEqual(crypto.x25519Public(secret), nacl.scalarMult.base(secret));
  }
});
