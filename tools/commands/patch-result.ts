// What both ways of `broome patch` hand over: the file, and what to say of it.

import type { Patched } from "../patch/edits.js";

export interface PatchResult {
  readonly patched: Patched;
  /** A person answered questions: more may be offered. */
  readonly asked: boolean;
  /** The result holds a secret. */
  readonly secret: boolean;
  /** For eyes: "7 values". */
  readonly summary: string;
  /** More fields of the --json line. */
  readonly fields: Readonly<Record<string, unknown>>;
}
