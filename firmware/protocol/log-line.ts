// The lines on the UART, as ESP-IDF's esp_log writes them: "I (445) tag: text". Scripts read them: CONTRACT.md, "UART".

export type Level = "E" | "W" | "I" | "D" | "V";

/** Writes one line. Passwords and keys never go in; `masked` is for where something of one must be seen. */
export type Log = (tag: string, text: string, level?: Level) => void;

/** One line with its newline. Control characters become "?": an SSID must not be able to forge a line. */
export function logLine(uptimeMs: number, tag: string, text: string, level: Level = "I"): string {
  return `${level} (${Math.floor(uptimeMs)}) ${tag}: ${printable(text)}\n`;
}

/** "m********d": enough to see a typing mistake, always as long, so that not even the length is told. */
export function masked(secret: string): string {
  return secret.length < 4 ? "********" : `${secret[0]}********${secret[secret.length - 1]}`;
}

/** `text` without control characters (C0, DEL). */
export function printable(text: string): string {
  let clean = "";
  let from = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code !== 0x7f) continue;
    clean += text.slice(from, i) + "?";
    from = i + 1;
  }
  return from === 0 ? text : clean + text.slice(from);
}
