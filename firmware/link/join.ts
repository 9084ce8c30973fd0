// Joining over HTTP (PROTOCOL section 2): M1 out, M2 in, and what may be believed of it.

import type { Timer } from "../device/types.js";
import { encodeBase64url } from "../protocol/base64url.js";
import type { Crypto } from "../protocol/crypto.js";
import { MAX_JOIN_BODY, finishJoin, startJoin } from "../protocol/join.js";
import type { DeviceJoin, Hello, JoinKey, Joined } from "../protocol/join.js";
import { FIRST_GENERATION } from "../protocol/sealed.js";
import type { HttpClient, HttpRequest } from "./http.js";
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
  /** False: it is not sent again. */
  wanted?: () => boolean;
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
    if (sending > 1 && options.wanted?.() === false) break;
    try {
      // Both in here: an async function of their own would cost 900 bytes while it waits, another call too much of the stack.
      const { status, body } = await options.http.request(requestOf(join));
      if (status === 200) last = resultOf(options, join, finishJoin(crypto, join, body, pin));
      else last = { kind: "failed", reason: "server-rejected", status };
    } catch (error) {
      last = { kind: "failed", reason: reasonOf(error) };
    }
    if (last.kind === "joined" || !isLoss(last.reason)) break;
  }
  return last;
}

/** M2 may have been lost or replaced on the way: the same M1 can have it again. A refusal, forged or not, is for the next try. */
function isLoss(reason: JoinFailure): boolean {
  return reason === "server-unreachable" || reason === "timeout" || reason === "unauthenticated";
}

function requestOf({ body }: DeviceJoin): HttpRequest {
  return {
    method: "POST",
    path: "/api/join",
    contentType: "application/json",
    body,
    timeoutMs: ANSWER_TIMEOUT_MS,
    maxBody: MAX_JOIN_BODY,
  };
}

function resultOf({ pin, unpinned }: JoinOptions, { n }: DeviceJoin, answer: Joined): JoinResult {
  const identity = { id: answer.id, g: FIRST_GENERATION, key: answer.key, pin: answer.pin };
  const confirm = pin === undefined && unpinned === "ask";
  return { kind: "joined", identity, code: answer.code, n: encodeBase64url(n), confirm };
}

/** Of the link, or of the handshake. */
function reasonOf(error: unknown): JoinFailure {
  return (error as { code?: unknown }).code === "wrong-server" ? "wrong-server" : failureOf(error);
}

function pause(timer: Timer, ms: number): Promise<void> {
  return new Promise((resolve) => void timer.set(resolve, ms));
}
