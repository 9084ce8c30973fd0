// The error of the link layer: why a request had no usable answer.

export type LinkCode =
  | "unreachable" // the name does not resolve, or nothing accepts the connection
  | "closed" // the connection ended inside the answer
  | "timeout"
  | "malformed" // not HTTP, or not within the bounds of http-response.ts
  | "too-large" // the body exceeds maxBody
  | "wrong-range" // 206 with other bytes than asked for
  | "aborted"; // by abort() or close()

export class LinkError extends Error {
  // A field, because Error.prototype is frozen on a device: `this.name =` throws there.
  override readonly name = "LinkError";
  readonly code: LinkCode;

  constructor(code: LinkCode, message: string) {
    super(message);
    this.code = code;
  }
}
