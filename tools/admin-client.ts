// A client of the server's admin API, for the verbs that talk to a server.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { BroomeError } from "./error.js";
import type { Context, Options } from "./verb.js";

export const DEFAULT_SERVER = "http://127.0.0.1:3001";
const DEFAULT_TIMEOUT_MS = 1000; // for an address that is only offered

/** Where `broome serve` keeps its database unless told otherwise. */
export function defaultDatabase(cacheDir: string): string {
  return join(cacheDir, "server", "broome.db");
}

/** Adds the option that every verb of this kind takes. */
export function addAdminOptions(command: Command): Command {
  return command.option("--token-file <file>", "file with the admin token (or BROOME_ADMIN_TOKEN)");
}

export interface AdminClient {
  readonly url: string;
  /** True where only this machine can reach the server. */
  readonly isLoopback: boolean;
  /** Throws BroomeError `server-unreachable`, or with the server's own code. */
  request<T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T>;
}

function readToken(file: string): string {
  if (!existsSync(file))
    throw new BroomeError(
      "token-missing",
      `there is no ${file}`,
      "The server names its token file at its start.",
    );
  return readFileSync(file, "utf8").trim();
}

function findToken(context: Context, options: Options, isLoopback: boolean): string {
  if (options.tokenFile !== undefined) return readToken(options.tokenFile as string);
  if (process.env.BROOME_ADMIN_TOKEN) return process.env.BROOME_ADMIN_TOKEN;
  const own = defaultDatabase(context.cacheDir).replace(/\.db$/, ".admin-token");
  if (isLoopback && existsSync(own)) return readToken(own);
  throw new BroomeError(
    "token-missing",
    "this needs the server's admin token",
    "Set BROOME_ADMIN_TOKEN, or give --token-file FILE: the server names the file at its start.",
  );
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(text);
    if (url.protocol === "http:" || url.protocol === "https:") return url;
  } catch {
    // below
  }
  throw new BroomeError("server-unreachable", `"${text}" is not a URL`, "Write it as http://127.0.0.1:3001.");
}

/** The server of --server or BROOME_SERVER, else the one that `broome serve` starts on this machine. */
export function adminClient(context: Context, options: Options): AdminClient {
  const { origin, hostname } = parseUrl(context.server ?? DEFAULT_SERVER);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname);
  const token = findToken(context, options, isLoopback);
  return {
    url: origin,
    isLoopback,
    async request<T>(method: string, path: string, body?: object): Promise<T> {
      let response: Response;
      try {
        response = await fetch(origin + path, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body && { "content-type": "application/json" }),
          },
          ...(body && { body: JSON.stringify(body) }),
          redirect: "error",
          signal: context.signal,
        });
      } catch (cause) {
        context.signal.throwIfAborted();
        throw new BroomeError(
          "server-unreachable",
          `${origin} does not answer (${((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message})`,
          "Start it with `broome serve`, or name it with --server URL (the admin listener).",
          { cause },
        );
      }
      const text = await response.text();
      const json = parseJson(text);
      if (response.ok) return json as T;
      const { code, detail, help } = (json ?? {}) as { code?: string; detail?: string; help?: string };
      throw new BroomeError(
        code ?? "server-unreachable",
        detail ?? `${origin}${path} answered ${response.status}`,
        help ?? "Is this the admin listener of a Broome server?",
      );
    },
  };
}

/**
 * The devices' address of the server that runs here (or at --server), to be offered as a default; undefined where none
 * answers, or `isGood` does not take it.
 */
export async function ownServer(
  context: Context,
  options: Options,
  isGood: (url: string) => boolean,
): Promise<string | undefined> {
  try {
    const answer = adminClient(context, options).request<{ deviceUrl?: unknown }>("GET", "/api/server");
    const late = new Promise<void>((resolve) => void setTimeout(resolve, DEFAULT_TIMEOUT_MS).unref());
    const url = ((await Promise.race([answer, late])) ?? {}).deviceUrl;
    return typeof url === "string" && isGood(url) ? url : undefined;
  } catch {
    return undefined; // it is only a default
  }
}

function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
