// The error of the server's layer: stable code, actual values, what to do next, and the HTTP status it becomes.

export class HostError extends Error {
  readonly code: string;
  readonly help: string;
  readonly status: number;

  constructor(status: number, code: string, message: string, help: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "HostError";
    this.status = status;
    this.code = code;
    this.help = help;
  }
}

/** The device, key, release ... that was named does not exist. */
export function notFound(what: string): HostError {
  return new HostError(
    404,
    "not-found",
    `${what} is not known here`,
    "Check the name; GET /api/devices lists what is.",
  );
}

/** The request's form is wrong. */
export function badRequest(message: string, help = "See /openapi.json for the form."): HostError {
  return new HostError(400, "bad-request", message, help);
}
