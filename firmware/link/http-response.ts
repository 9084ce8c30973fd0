// A parser of HTTP/1.1 responses (RFC 9112) that takes bytes as they come and keeps almost none: every length is bounded.

import { LinkError } from "./error.js";

/** What is kept of a response's head. */
export interface Head {
  status: number;
  length: number | undefined; // of the body in bytes, where the head says
  range: { first: number; last: number; total: number } | undefined; // of its Content-Range, where that is complete
}

/** Bytes of a line that are kept: more than any header needed here takes. Longer lines are read over. */
const KEPT = 128;
/** Bytes of all heads of one exchange: interim responses, header and trailer lines, lines between chunks. */
const MAX_HEAD = 8192;
/** Interim (1xx) responses before the one that counts. */
const MAX_INTERIM = 4;
/** Hexadecimal digits of a chunk's size. */
const MAX_CHUNK_DIGITS = 7;
const LF = 0x0a;
const CR = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;
const DASH = 0x2d;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const SEMICOLON = 0x3b;

/** Where the parser is. */
const STATUS = 0;
const HEADER = 1;
const BODY = 2; // of known length
const UNTIL_CLOSE = 3;
const CHUNK_SIZE = 4;
const CHUNK = 5;
const CHUNK_END = 6;
const TRAILER = 7;
const DONE = 8;

/** What `take` came upon: nothing in particular, the end of the head, or a piece of the body. */
export type Told = "head" | "body" | undefined;

/**
 * Parses one response to a GET or POST. The caller pulls, so that calls nest little: `take`, then `tell`, as long as there are
 * bytes and it is not `done`. Both throw LinkError `malformed` for what is no HTTP, ambiguous in length, or out of bounds; the
 * parser is of no use afterwards.
 */
export class ResponseParser {
  /** Complete once `tell` said "head"; of an interim response before. */
  readonly head: Head = { status: 0, length: undefined, range: undefined };
  #told: Told;
  #lineEnded = false;
  readonly #line = new Uint8Array(KEPT + 1); // a zero follows the line, so that nothing of an older one is read
  #lineLength = 0; // may exceed KEPT
  #headLength = 0;
  #end = 0; // in the line, after the number last read
  #interim = 0;
  #state = STATUS;
  #left = 0; // bytes of body or chunk still to come
  #chunked = false;
  #close = false;

  /** The response is complete. */
  get done(): boolean {
    return this.#state === DONE;
  }

  /** The connection can carry another request. Meaningful once `done`. */
  get keepsAlive(): boolean {
    return !this.#close;
  }

  /**
   * Takes bytes from `at` to the end of a line, of the piece of body, or of what is given; returns the index after them. `tell`
   * must follow. Bytes after the response's end are left.
   */
  take(bytes: Uint8Array, at: number): number {
    this.#told = undefined;
    if (this.#state === BODY || this.#state === CHUNK || this.#state === UNTIL_CLOSE)
      return this.#body(bytes.length, at);
    const lineFeed = bytes.indexOf(LF, at);
    this.#lineEnded = lineFeed >= 0;
    const end = this.#lineEnded ? lineFeed : bytes.length;
    this.#append(bytes, at, end);
    return this.#lineEnded ? end + 1 : end;
  }

  /** What that came to. With "body" the piece is what `take` took. */
  tell(): Told {
    if (this.#lineEnded) {
      this.#lineEnded = false;
      this.#lineEnd(this.#endLine());
    }
    return this.#told;
  }

  /** The peer ended the connection. Completes a body that lasts until then; throws LinkError `closed` for any other. */
  end(): void {
    if (this.#state === UNTIL_CLOSE) this.#state = DONE;
    if (this.#state !== DONE) throw new LinkError("closed", "the connection ended inside the answer");
  }

  #body(length: number, at: number): number {
    this.#told = "body";
    if (this.#state === UNTIL_CLOSE) return length;
    const end = Math.min(length, at + this.#left);
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#state === CHUNK ? CHUNK_END : DONE;
    return end;
  }

  #append(bytes: Uint8Array, at: number, end: number): void {
    this.#headLength += end - at + 1;
    if (this.#headLength > MAX_HEAD) throw malformed(`more than ${MAX_HEAD} bytes of head`);
    const line = this.#line;
    let to = this.#lineLength;
    this.#lineLength += end - at;
    for (; at < end && to < KEPT; at++) {
      const byte = bytes[at]!;
      if (byte < SPACE && byte !== CR && byte !== TAB) throw malformed(`byte ${byte} in the head`);
      line[to++] = byte;
    }
  }

  /** Length of the line that ended, without its CR. A bare LF ends a line too (RFC 9112 section 2.2). */
  #endLine(): number {
    let length = this.#lineLength;
    this.#lineLength = 0;
    if (length > 0 && length <= KEPT && this.#line[length - 1] === CR) length -= 1;
    this.#line[Math.min(length, KEPT)] = 0;
    return length;
  }

  #lineEnd(length: number): void {
    if (this.#state === STATUS) this.#statusLine(length);
    else if (this.#state === HEADER) {
      if (length === 0) this.#headEnd();
      else this.#header(length);
    } else if (this.#state === CHUNK_SIZE) this.#chunkSize(length);
    else if (this.#state === CHUNK_END) {
      if (length !== 0) throw malformed("a chunk is longer than it says");
      this.#state = CHUNK_SIZE;
    } else if (length === 0) this.#state = DONE; // end of the trailers
  }

  /** HTTP/1.x SP 3DIGIT [SP reason] (RFC 9112 section 4). */
  #statusLine(length: number): void {
    const minor = this.#line[7]! - ZERO;
    let status = 0;
    for (let at = 9; at < 12; at++) status = status * 10 + digit(this.#line[at]!);
    const shape =
      this.#is("http/1.", 0) && this.#line[8] === SPACE && (length === 12 || this.#line[12] === SPACE);
    if (!shape || length < 12 || !(status >= 100 && status <= 599)) throw malformed("no HTTP status line");
    if (minor !== 0 && minor !== 1) throw malformed("not HTTP/1.0 or HTTP/1.1");
    this.head.status = status;
    this.#close = minor === 0;
    this.#state = HEADER;
  }

  #header(length: number): void {
    if (this.#line[0] === SPACE || this.#line[0] === TAB) throw malformed("a folded header line");
    if (this.#is("content-length:", 0)) {
      const value = this.#number(15, length);
      if (value < 0 || this.#end !== length) throw malformed("a content-length that is no number");
      if (this.head.length !== undefined && this.head.length !== value)
        throw malformed("two content-lengths");
      this.head.length = value;
    } else if (this.#is("transfer-encoding:", 0)) {
      const at = this.#skip(18);
      if (this.#chunked || !this.#is("chunked", at) || this.#skip(at + 7) < length)
        throw malformed("another transfer encoding");
      this.#chunked = true;
    } else if (this.#is("connection:", 0)) {
      for (let at = 11; at < length && at < KEPT; at++) if (this.#is("close", at)) this.#close = true;
    } else if (this.#is("content-range:", 0)) this.#contentRange(length);
  }

  /** bytes first-last/total (RFC 9110 section 14.4); left out where anything else stands there. */
  #contentRange(length: number): void {
    const at = this.#skip(14);
    if (!this.#is("bytes ", at)) return;
    const first = this.#number(at + 6, length);
    const last = this.#line[this.#end] === DASH ? this.#number(this.#end + 1, length) : -1;
    const total = this.#line[this.#end] === SLASH ? this.#number(this.#end + 1, length) : -1;
    if (first >= 0 && last >= 0 && total >= 0 && this.#end === length)
      this.head.range = { first, last, total };
  }

  /** RFC 9112 section 6.3: how long the body is. */
  #headEnd(): void {
    if (this.head.status < 200) return this.#interimEnd();
    if (this.#chunked && this.head.length !== undefined) throw malformed("both a length and chunks");
    const empty = this.head.status === 204 || this.head.status === 304;
    const length = empty ? 0 : this.head.length;
    if (empty) this.#state = DONE;
    else if (this.#chunked) this.#state = CHUNK_SIZE;
    else if (length === undefined) {
      this.#state = UNTIL_CLOSE;
      this.#close = true;
    } else {
      this.#left = length;
      this.#state = length === 0 ? DONE : BODY;
    }
    this.head.length = length;
    this.#told = "head";
  }

  #interimEnd(): void {
    this.#interim += 1;
    if (this.head.status === 101 || this.#interim > MAX_INTERIM)
      throw malformed("interim responses without an end");
    this.head.length = undefined;
    this.#chunked = false;
    this.head.range = undefined;
    this.#state = STATUS;
  }

  /** chunk-size [chunk-ext] (RFC 9112 section 7.1). */
  #chunkSize(length: number): void {
    let size = 0;
    let at = 0;
    for (; at < length && at < KEPT; at++) {
      const value = hexDigit(this.#line[at]!);
      if (value < 0) break;
      size = size * 16 + value;
    }
    const after = this.#line[at]!;
    if (
      at < 1 ||
      at > MAX_CHUNK_DIGITS ||
      (at < length && after !== SEMICOLON && after !== SPACE && after !== TAB)
    )
      throw malformed("a chunk without a size");
    this.#left = size;
    this.#state = size === 0 ? TRAILER : CHUNK;
  }

  /** `text`, which is in lower case, stands at `at` in the line, in any case. */
  #is(text: string, at: number): boolean {
    for (let i = 0; i < text.length; i++) {
      const byte = this.#line[at + i]!;
      if ((byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte) !== text.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The first index from `at` on where no white space stands. */
  #skip(at: number): number {
    while (this.#line[at] === SPACE || this.#line[at] === TAB) at += 1;
    return at;
  }

  /** Up to ten digits from `at`, white space around them skipped; -1 where there are none. `#end` is the index after. */
  #number(at: number, length: number): number {
    at = this.#skip(at);
    const start = at;
    let value = 0;
    for (; at < length && this.#line[at]! >= ZERO && this.#line[at]! <= NINE; at++)
      value = value * 10 + this.#line[at]! - ZERO;
    const good = at > start && at - start <= 10 && length <= KEPT;
    this.#end = this.#skip(at);
    return good ? value : -1;
  }
}

/** Value of a decimal digit, or NaN. */
function digit(byte: number): number {
  return byte >= ZERO && byte <= NINE ? byte - ZERO : NaN;
}

/** Value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= NINE) return byte - ZERO;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function malformed(what: string): LinkError {
  return new LinkError("malformed", `not a usable HTTP answer: ${what}`);
}
