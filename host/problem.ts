// Problem details for HTTP (RFC 9457): what every route but the compatible ones answers when it refuses.

import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { STATUS_CODES } from "node:http";
import { FormatError } from "../firmware/format/error.js";
import { HostError } from "./error.js";

interface Problem {
  status: number;
  code: string;
  detail: string;
  help: string;
}

function problemOf(error: FastifyError | Error): Problem {
  if (error instanceof HostError) {
    const { status, code, message: detail, help } = error;
    return { status, code, detail, help };
  }
  if (error instanceof FormatError) {
    const { code, message: detail, help } = error;
    return { status: 400, code, detail, help };
  }
  const status = "statusCode" in error ? (error.statusCode ?? 500) : 500;
  if (status >= 500)
    return {
      status: 500,
      code: "internal",
      detail: "something failed in the server",
      help: "Its log says what.",
    };
  const code = status === 413 ? "body-too-large" : "bad-request";
  return { status, code, detail: error.message, help: "See /openapi.json for the form." };
}

/** Sends an error as problem details; what went wrong inside stays inside. */
export function sendProblem(error: FastifyError | Error, reply: FastifyReply): FastifyReply {
  const { status, code, detail, help } = problemOf(error);
  if (status === 429) reply.header("retry-after", "60");
  return reply
    .code(status)
    .header("cache-control", "no-store")
    .type("application/problem+json")
    .send(JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, code, detail, help }));
}

/** Says which route failed, never the URL: it may hold a token. */
export function logLine(error: Error, request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? "(no route)"}: ${error.stack ?? error.message}`;
}
