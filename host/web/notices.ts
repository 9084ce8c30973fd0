// Short messages at the lower edge: what was done, what failed and what to do about it.

import { ApiError } from "./api.js";
import { element } from "./element.js";

const SHOWN_MS = 8000;

export function notify(text: string, kind: "good" | "bad" = "good"): void {
  const notice = element(`p.notice.${kind}` as "p", {}, text);
  document.getElementById("notices")!.append(notice);
  setTimeout(() => notice.remove(), SHOWN_MS);
}

/** The API's messages are parts of sentences. */
function sentence(text: string): string {
  const whole = text[0]!.toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** Runs what a button does; failures are shown. Resolves to false where it failed. */
export async function tell(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const help = error instanceof ApiError ? error.help : "";
    notify([(error as Error).message, help].filter(Boolean).map(sentence).join(" "), "bad");
    return false;
  }
}
