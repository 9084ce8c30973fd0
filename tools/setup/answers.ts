// The answers of a set-up that nobody types: a JSON file with the keys of `patch`, secrets from the environment as well.

import { readFileSync } from "node:fs";
import { z } from "zod";
import { BroomeError } from "../error.js";

const answersFile = z.strictObject({
  "wifi.ssid": z.string().min(1),
  "wifi.password": z.string().optional(),
  "server.url": z.string().optional(),
  "join.key": z.string().optional(),
});

export interface Answers {
  readonly ssid: string;
  readonly password: string;
  /** Undefined: the board keeps the one it has. */
  readonly server: string | undefined;
  readonly joinKey: string;
}

/** @throws BroomeError `answers-invalid` */
export function readAnswers(path: string, environment = process.env): Answers {
  try {
    const values = answersFile.parse(JSON.parse(readFileSync(path, "utf8")));
    return {
      ssid: values["wifi.ssid"],
      password: values["wifi.password"] ?? environment.BROOME_WIFI_PASSWORD ?? "",
      server: values["server.url"],
      joinKey: values["join.key"] ?? environment.BROOME_JOIN_KEY ?? "",
    };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new BroomeError(
      "answers-invalid",
      `${path}: ${why}`,
      'Give JSON like {"wifi.ssid": "...", "wifi.password": "...", "server.url": "...", "join.key": "..."}.',
    );
  }
}
