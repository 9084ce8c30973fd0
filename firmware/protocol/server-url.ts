// The server's address as people write and patch it: http://host:port/#pin (PROTOCOL section 2).

import { FormatError } from "../format/error.js";

export interface ServerUrl {
  host: string; // dotted IPv4 or a DNS name, lower case
  port: number; // 1 to 65535; 80 where the text names none
  pin: string | undefined; // 22 characters of base64url: serverPin() of join.ts
}

const HELP = "Write it as http://host:3000/#pin, as the server prints it at its start.";

/** Longest DNS name (RFC 1035 section 2.3.4), as text. */
const MAX_HOST = 253;
const PIN_LENGTH = 22;

/** Throws `server-url-invalid`: another scheme, user name, path, query, a port out of range, a pin that is none. */
export function parseServerUrl(text: string): ServerUrl {
  const scheme = "http://";
  if (text.startsWith("https://"))
    throw invalid(
      text,
      "TLS is not offered: messages are sealed by themselves, so plain http is what it speaks",
    );
  if (!text.startsWith(scheme)) throw invalid(text, "it must begin with http://");
  const hash = text.indexOf("#");
  const pin = hash < 0 ? undefined : text.slice(hash + 1);
  if (pin !== undefined && !(pin.length === PIN_LENGTH && hasOnly(pin, isBase64url)))
    throw invalid(text, `the pin after # must be ${PIN_LENGTH} characters of base64url`);
  let authority = text.slice(scheme.length, hash < 0 ? text.length : hash);
  if (authority.endsWith("/")) authority = authority.slice(0, -1);
  const colon = authority.indexOf(":");
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  if (host.length < 1 || host.length > MAX_HOST || !hasOnly(host, isHostCharacter))
    throw invalid(text, "the host must be a name or an IPv4 address, and no path may follow it");
  return { host, port: colon < 0 ? 80 : portOf(text, authority.slice(colon + 1)), pin };
}

/** The text form: always with the port, so that it cannot be misread. */
export function formatServerUrl(url: ServerUrl): string {
  return `http://${url.host}:${url.port}/${url.pin === undefined ? "" : `#${url.pin}`}`;
}

function portOf(text: string, digits: string): number {
  const port = digits.length >= 1 && digits.length <= 5 && hasOnly(digits, isDigit) ? Number(digits) : 0;
  if (port < 1 || port > 65535) throw invalid(text, "the port must be 1 to 65535");
  return port;
}

function hasOnly(text: string, good: (code: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!good(text.charCodeAt(i))) return false;
  return true;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isHostCharacter(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 122) || code === 45 || code === 46;
}

function isBase64url(code: number): boolean {
  return (
    isDigit(code) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 45 || code === 95
  );
}

function invalid(text: string, what: string): FormatError {
  return new FormatError("server-url-invalid", `server address "${text.slice(0, 100)}": ${what}`, HELP);
}
