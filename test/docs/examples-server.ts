// Examples of SPEC.md: what the server answers when it refuses.

import { match } from "node:assert/strict";
import { HostError } from "../../host/error.js";
import { newListener } from "../../host/listener.js";
import type { Examples } from "./example.js";

/** A problem as a listener sends it. */
async function problem(): Promise<string> {
  const app = newListener({ hosts: [], log: () => undefined });
  app.get("/", () => {
    throw new HostError(403, "join-rejected", "the join key is not valid here", "Make a new one.");
  });
  const reply = await app.inject({ url: "/", headers: { host: "localhost:3000" } });
  match(String(reply.headers["content-type"]), /^application\/problem\+json/);
  await app.close();
  return JSON.stringify(reply.json(), null, 2);
}

export const serverExamples: Examples = { problem: { make: problem } };
