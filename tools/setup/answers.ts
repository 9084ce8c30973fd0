// The answers of a set-up that nobody types: secrets from the environment as well.

import { z } from "zod";
import { readAnswers } from "../answers-file.js";
import { BroomeError } from "../error.js";

const answersFile = z.strictObject({
  "wifi.ssid": z.string().min(1),
  "wifi.password": z.string().optional(),
  "server.url": z.string().optional(),
  "join.key": z.string().optional(),
});

export interface SetupAnswers {
  readonly ssid: string;
  readonly password: string;
  /** Undefined: the board keeps the one it has. */
  readonly server: string | undefined;
  readonly joinKey: string;
}

/** @throws BroomeError `answers-invalid`, `file-unreadable`, `value-not-utf8` */
export function readSetupAnswers(path: string, environment = process.env): SetupAnswers {
  const { success, data: values, error } = answersFile.safeParse(readAnswers(path));
  if (!success)
    throw new BroomeError(
      "answers-invalid",
      `${path}: ${z.prettifyError(error)}`,
      'Give JSON like {"wifi.ssid": "...", "wifi.password": "...", "server.url": "...", "join.key": "..."}.',
    );
  return {
    ssid: values["wifi.ssid"],
    password: values["wifi.password"] ?? environment.BROOME_WIFI_PASSWORD ?? "",
    server: values["server.url"],
    joinKey: values["join.key"] ?? environment.BROOME_JOIN_KEY ?? "",
  };
}
