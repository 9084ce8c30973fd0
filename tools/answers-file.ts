// Answers from a file instead of from a person: one flat JSON object, the keys of `patch`.

import { BroomeError } from "./error.js";
import { readNamedText } from "./named-file.js";

export type Given = Record<string, unknown>;

/** A flat JSON object of keys and values. Throws `file-unreadable`, `value-not-utf8`, `answers-invalid`. */
export function readAnswers(path: string): Given {
  const text = readNamedText(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    // JSON.parse's message quotes the file, and the file holds secrets
    throw invalid(`${path} is not JSON`, cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw invalid(`${path} holds no JSON object`);
  return { ...json };
}

function invalid(message: string, cause?: unknown): BroomeError {
  return new BroomeError("answers-invalid", message, 'Write {"wifi.ssid": "...", ...}.', { cause });
}
