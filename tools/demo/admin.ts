// The owner's side of the server: the admin API, as a script or the page would use it.

import { BroomeError } from "../error.js";

const REQUEST_TIMEOUT_MS = 15_000;
const POLL_MS = 100;

export interface DeviceRow {
  deviceid: string;
  name: string | null;
  state: string;
  version: string | null;
  code?: string;
  mac: string;
  [column: string]: unknown;
}

export class Admin {
  readonly url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.token = token;
  }

  /** @throws BroomeError `server-refused` for any status but 2xx */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await this.text(path, method, body);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** The body as it came. */
  async text(path: string, method = "GET", body?: unknown): Promise<string> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok)
      throw new BroomeError(
        "server-refused",
        `${method} ${path}: ${response.status} ${text.slice(0, 300)}`,
        "See the server's log.",
      );
    return text;
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>("GET", path);
  }

  /** Asks again and again until `accept` takes an answer. */
  async poll<T>(path: string, what: string, timeoutMs: number, accept: (value: T) => boolean): Promise<T> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const value = await this.get<T>(path);
      if (accept(value)) return value;
      if (Date.now() > end)
        throw new BroomeError(
          "demo-timeout",
          `${what} did not come within ${timeoutMs} ms; the server says ${JSON.stringify(value).slice(0, 400)}`,
          "If the machine is very busy, try again; else this is a defect.",
        );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}
