// The error of the format layer: stable code, actual values, what to do next.

export class FormatError extends Error {
  // A field, because Error.prototype is frozen on a device: `this.name =` throws there.
  override readonly name = "FormatError";
  readonly code: string;
  readonly help: string;

  constructor(code: string, message: string, help: string) {
    super(message);
    this.code = code;
    this.help = help;
  }
}
