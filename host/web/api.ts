// The admin API as the page calls it, with the session cookie.

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly help: string;

  constructor(status: number, code: string, message: string, help: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.help = help;
  }
}

interface Problem {
  code?: string;
  detail?: string;
  help?: string;
}

/** Throws ApiError with the server's words. */
export async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    ...(body && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  }).catch(() => {
    throw new ApiError(0, "server-unreachable", "The server does not answer.", "Is it running?");
  });
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // something else than our server spoke
  }
  const { code = "unknown", detail = `The server answered ${response.status}.`, help = "" } = problem;
  throw new ApiError(response.status, code, detail, help);
}

export interface Device {
  deviceid: string;
  name: string;
  lastseen: number | null;
  ssid: string;
  ipaddr: string;
  data: Record<string, unknown>;
  state: "pending" | "approved" | "denied" | "blocked" | "replaced";
  mac: string;
  chip: string;
  product: string;
  version: string;
  rssi: number | null;
  location: string;
  ota: { state: string; percent?: number; version?: string; reason?: string } | null;
  offer: { manifest: string } | null;
  code: string | null;
  claims: string | null;
  online: boolean;
  suspect: boolean;
}

export interface Release {
  manifest: string;
  version: string;
  product: string;
  chip: string;
  size: number;
  created: number;
  withdrawn: boolean;
}

export interface JoinKey {
  kid: string;
  label: string;
  expires: number | null;
  uses: number | null;
  used: number;
  revoked: boolean;
  /** Only in the answer to its making. */
  key?: string;
}

export interface Pin {
  pin: string;
  desired: { value: string; at: number } | null;
  reported: { value: string; at: number } | null;
}

export interface Boot {
  boot: number;
  at: number;
  cause: string;
  version: string;
  previousUptimeMs: number;
  note: string;
}

export interface ServerInfo {
  pin: string;
  deviceUrl: string;
}
