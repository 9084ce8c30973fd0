// What a parser must survive: seeded hostile inputs, each either refused with the parser's own error or shown to be right by other means.

import type { Random } from "../support/random.js";

export interface Fuzz {
  readonly name: string;
  /** One case. Throws where the parser crashed, or accepted what it must not. */
  try(random: Random): void;
}

/** What `parse` gives, or undefined where it refused with an error that `isRefusal` knows. Any other error is a crash. */
export function accepted<T>(parse: () => T, isRefusal: (error: unknown) => boolean): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** An error that names its code and says what to do. */
export function hasCode(...codes: string[]): (error: unknown) => boolean {
  return (error) => {
    const { code, message, help } = error as { code?: string; message?: string; help?: string };
    return codes.includes(code ?? "") && Boolean(message) && Boolean(help);
  };
}
