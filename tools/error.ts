// The one error class that reaches a user of the command: a stable code, the actual values, and what to do next.

/**
 * An error that a user can act on.
 *
 * `code` is one of the stable, dashed codes of CONTRACT; `message` holds the actual values; `help` says what to do next.
 */
export class BroomeError extends Error {
  readonly code: string;
  readonly help: string;
  /** More fields of the `--json` line, for scripts that act on the failure. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    help: string,
    options?: { cause?: unknown; fields?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options);
    this.name = "BroomeError";
    this.code = code;
    this.help = help;
    this.fields = options?.fields ?? {};
  }
}
