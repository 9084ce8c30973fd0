// The error of the format layer: stable code, actual values, what to do next.

export class FormatError extends Error {
  readonly code: string;
  readonly help: string;

  constructor(code: string, message: string, help: string) {
    super(message);
    this.name = "FormatError";
    this.code = code;
    this.help = help;
  }
}
