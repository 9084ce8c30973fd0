// Joining over HTTP (PROTOCOL section 2): M1 out, M2 in, and what may be believed of it.

import type { Timer } from "../device/types.js";
import { encodeBase64url } from "../protocol/base64url.js";
import type { Crypto } from "../protocol/crypto.js";
import { MAX_JOIN_BODY, finishJoin, startJoin } from "../protocol/join.js";
import type { DeviceJoin, Hello, JoinKey, Joined } from "../protocol/join.js";
import { FIRST_GENERATION } from "../protocol/sealed.js";
import type { HttpClient } from "./http.js";
import { failureOf } from "./sync.js";
import type { Identity, SyncFailure } from "./sync.js";

export interface JoinOptions {
  crypto: Crypto;
  http: HttpClient;
  timer: Timer;
  joinKey: JoinKey;
  about: Omit<Hello, "c" | "pin">;
  pin: string | undefined; // from the server's address
  /** Without a pin: "refuse"; "ask" where a person at the device can compare; "trust" where the defaults say tofu. */
  unpinned: "refuse" | "ask" | "trust";
  pauseMs?: number; // between two sendings of M1
}

export type JoinFailure = SyncFailure | "wrong-server" | "no-pin";

export type JoinResult =
  | {
      kind: "joined";
      identity: Identity; // to be written as one record, pending
      code: string; // six digits, to be shown
      n: string; // for `j` of the first sync
      /** The person at the device must say that the page shows the same code, before the pin is kept. */
      confirm: boolean;
    }
  | { kind: "failed"; reason: JoinFailure; status?: number };

/** The same M1 is sent at most this often. */
const SENDINGS = 3;
const ANSWER_TIMEOUT_MS = 15_000;
const PAUSE_MS = 2_000;

/** Runs a join up to the code. Never rejects for what the network or the server do. */
export async function runJoin(options: JoinOptions): Promise<JoinResult> {
  await undefined; // XS's stack holds 256 slots, some 8 calls of async functions: the handshake begins on an empty one
  const { crypto, joinKey, about, pin, unpinned } = options;
  if (pin === undefined && unpinned === "refuse") return { kind: "failed", reason: "no-pin" };
  const join = startJoin(crypto, joinKey, { ...about, pin: pin ?? "" });
  let last: JoinResult = { kind: "failed", reason: "server-unreachable" };
  for (let sending = 1; sending <= SENDINGS; sending++) {
    if (sending > 1) await pause(options.timer, options.pauseMs ?? PAUSE_MS);
    const answer = await send(options, join);
    if (answer.kind === "joined") {
      const identity = { id: answer.id, g: FIRST_GENERATION, key: answer.key, pin: answer.pin };
      const confirm = pin === undefined && unpinned === "ask";
      return { kind: "joined", identity, code: answer.code, n: encodeBase64url(join.n), confirm };
    }
    last = answer;
    if (!isLoss(answer.reason)) break;
  }
  return last;
}

/** M2 may have been lost or replaced on the way: the same M1 can have it again. A refusal, forged or not, is for the next try. */
function isLoss(reason: JoinFailure): boolean {
  return reason === "server-unreachable" || reason === "timeout" || reason === "unauthenticated";
}

type Answer = ({ kind: "joined" } & Joined) | { kind: "failed"; reason: JoinFailure; status?: number };

async function send({ crypto, http, pin }: JoinOptions, join: DeviceJoin): Promise<Answer> {
  await undefined; // an empty stack
  let body: Uint8Array;
  try {
    const response = await http.request({
      method: "POST",
      path: "/api/join",
      contentType: "application/json",
      body: join.body,
      timeoutMs: ANSWER_TIMEOUT_MS,
      maxBody: MAX_JOIN_BODY,
    });
    if (response.status !== 200)
      return { kind: "failed", reason: "server-rejected", status: response.status };
    body = response.body;
  } catch (error) {
    return { kind: "failed", reason: failureOf(error) };
  }
  try {
    return { kind: "joined", ...finishJoin(crypto, join, body, pin) };
  } catch (error) {
    const wrong = (error as { code?: unknown }).code === "wrong-server";
    return { kind: "failed", reason: wrong ? "wrong-server" : "unauthenticated" };
  }
}

function pause(timer: Timer, ms: number): Promise<void> {
  return new Promise((resolve) => void timer.set(resolve, ms));
}
