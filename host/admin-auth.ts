// Who may use the admin API: the holder of the admin token, or of a session that the token opened.

import type { FastifyReply, FastifyRequest } from "fastify";
import { HostError } from "./error.js";
import { createSecretFile, readSecretFile } from "./secret-file.js";
import type { Store } from "./store/store.js";
import { hashToken, isSameHash, newToken, TOKEN_PATTERN } from "./tokens.js";
import { rename } from "node:fs/promises";

const SETTING = "admin-token";
const SESSION_MS = 30 * 24 * 3600_000;
const COOKIE = "broome_session";
const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

export interface AdminAuth {
  /** Throws HostError 401 `not-admin`, 403 `cross-site`. */
  check(request: FastifyRequest): Promise<void>;
  logIn(token: string, reply: FastifyReply): Promise<void>;
  logOut(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/**
 * The admin token: made at the first start, in a file for the owner alone, in the database only its hash. Who deletes the
 * file gets a new token at the next start; a file that is not the database's is set aside.
 */
export async function prepareAdminToken(store: Store, path: string): Promise<void> {
  const hash = await store.getSetting(SETTING);
  const known = readSecretFile(path);
  if (known !== undefined && hash !== undefined && isSameHash(hashToken(known), hash)) return;
  if (known !== undefined) await rename(path, `${path}.old`);
  const token = newToken();
  createSecretFile(path, token);
  await store.setSetting(SETTING, hashToken(token));
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([A-Za-z0-9_-]{22})$/.exec(request.headers.authorization ?? "")?.[1];
}

function sessionOf(request: FastifyRequest): string | undefined {
  const cookies = (request.headers.cookie ?? "").split(/; */);
  return cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
}

/** A cookie travels with requests that other sites cause: those may not change anything. */
function checkSameSite(request: FastifyRequest): void {
  if (SAFE_METHODS.includes(request.method)) return;
  const site = request.headers["sec-fetch-site"];
  const origin = request.headers.origin;
  const isOwn = origin === undefined || origin === `http://${request.headers.host}`;
  if ((site !== undefined && site !== "same-origin") || !isOwn)
    throw new HostError(
      403,
      "cross-site",
      "the request came from another site",
      "Use the server's own page.",
    );
}

export function adminAuth(store: Store, now: () => number): AdminAuth {
  const isAdmin = async (token: string): Promise<boolean> =>
    TOKEN_PATTERN.test(token) && isSameHash(hashToken(token), (await store.getSetting(SETTING)) ?? "");
  const refused = () =>
    new HostError(
      401,
      "not-admin",
      "this needs the admin token",
      "Send it as `Authorization: Bearer ...`; it lies in the file that the server names at its start.",
    );
  const cookie = (value: string, seconds: number) =>
    `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;
  return {
    async check(request) {
      const bearer = bearerOf(request);
      if (bearer !== undefined) {
        if (await isAdmin(bearer)) return;
        throw refused();
      }
      const session = sessionOf(request);
      if (session === undefined || !(await store.hasSession(hashToken(session), now()))) throw refused();
      checkSameSite(request);
    },
    async logIn(token, reply) {
      if (!(await isAdmin(token))) throw refused();
      const session = newToken();
      await store.addSession(hashToken(session), now() + SESSION_MS, now());
      void reply.header("set-cookie", cookie(session, SESSION_MS / 1000));
    },
    async logOut(request, reply) {
      const session = sessionOf(request);
      if (session !== undefined) await store.removeSession(hashToken(session));
      void reply.header("set-cookie", cookie("", 0));
    },
  };
}
