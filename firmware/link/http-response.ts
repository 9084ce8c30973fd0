// A parser of HTTP/1.1 responses (RFC 9112) that takes bytes as they come and keeps almost none: every length is bounded.

import { decodeUtf8 } from "../format/utf8.js";
import { LinkError } from "./error.js";

/** What is kept of a response's head. */
export interface Head {
  status: number;
  length: number | undefined; // of the body in bytes, where the head says
  contentRange: string | undefined; // at most KEPT characters
}

export interface ResponseEvents {
  /** The head is complete. Called once, before any body. */
  onHead(head: Head): void;
  /** The next bytes of the body: a view that is valid during the call only. */
  onBody(bytes: Uint8Array): void;
}

/** Bytes of a line that are kept: more than any header needed here takes. Longer lines are read over. */
const KEPT = 128;
/** Bytes of all heads of one exchange: interim responses, header and trailer lines, lines between chunks. */
const MAX_HEAD = 8192;
/** Interim (1xx) responses before the one that counts. */
const MAX_INTERIM = 4;
const LF = 0x0a;

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

/**
 * Parses one response to a GET or POST. Throws LinkError `malformed` for what is no HTTP, ambiguous in length, or out of
 * bounds; it is of no use afterwards.
 */
export class ResponseParser {
  readonly #events: ResponseEvents;
  readonly #line = new Uint8Array(KEPT);
  #lineLength = 0; // may exceed KEPT
  #headLength = 0;
  #interim = 0;
  #state = STATUS;
  #left = 0; // bytes of body or chunk still to come
  #status = 0;
  #length: number | undefined;
  #contentRange: string | undefined;
  #chunked = false;
  #close = false;

  constructor(events: ResponseEvents) {
    this.#events = events;
  }

  /** The response is complete. */
  get done(): boolean {
    return this.#state === DONE;
  }

  /** The connection can carry another request. Meaningful once `done`. */
  get keepsAlive(): boolean {
    return !this.#close;
  }

  /** Takes the next bytes; returns how many belong to this response: fewer than given only when it is done. */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state !== DONE) {
      if (this.#state === BODY || this.#state === CHUNK || this.#state === UNTIL_CLOSE)
        at = this.#body(bytes, at);
      else if (this.#take(bytes[at++]!)) this.#lineEnd();
    }
    return at;
  }

  /** The peer ended the connection. Completes a body that lasts until then; throws LinkError `closed` for any other. */
  end(): void {
    if (this.#state === UNTIL_CLOSE) this.#state = DONE;
    if (this.#state !== DONE) throw new LinkError("closed", "the connection ended inside the answer");
  }

  #body(bytes: Uint8Array, at: number): number {
    if (this.#state === UNTIL_CLOSE) {
      this.#events.onBody(bytes.subarray(at));
      return bytes.length;
    }
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    this.#events.onBody(bytes.subarray(at, end));
    if (this.#left === 0) this.#state = this.#state === CHUNK ? CHUNK_END : DONE;
    return end;
  }

  /** Adds a byte to the line; true at its end. A bare LF ends a line too (RFC 9112 section 2.2). */
  #take(byte: number): boolean {
    this.#headLength += 1;
    if (this.#headLength > MAX_HEAD) throw malformed(`more than ${MAX_HEAD} bytes of head`);
    if (byte === LF) {
      if (this.#lineLength > 0 && this.#lineLength <= KEPT && this.#line[this.#lineLength - 1] === 0x0d)
        this.#lineLength -= 1;
      return true;
    }
    if (byte < 0x20 && byte !== 0x0d && byte !== 0x09) throw malformed(`byte ${byte} in the head`);
    if (this.#lineLength < KEPT) this.#line[this.#lineLength] = byte;
    this.#lineLength += 1;
    return false;
  }

  #lineEnd(): void {
    const length = this.#lineLength;
    this.#lineLength = 0;
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
    const line = this.#text(0, Math.min(length, 13));
    const status = Number(line.slice(9, 12));
    const shape = line.startsWith("HTTP/1.") && line[8] === " " && (length === 12 || line[12] === " ");
    if (length < 12 || !shape || !isDigits(line.slice(9, 12)) || status < 100 || status > 599)
      throw malformed("no HTTP status line");
    if (line[7] !== "0" && line[7] !== "1") throw malformed("not HTTP/1.0 or HTTP/1.1");
    this.#status = status;
    this.#close = line[7] === "0";
    this.#state = HEADER;
  }

  #header(length: number): void {
    if (this.#line[0] === 0x20 || this.#line[0] === 0x09) throw malformed("a folded header line");
    if (this.#is("content-length")) this.#contentLength(this.#value(length));
    else if (this.#is("transfer-encoding")) {
      if (this.#chunked || lower(this.#value(length)) !== "chunked")
        throw malformed("another transfer encoding");
      this.#chunked = true;
    } else if (this.#is("connection")) {
      if (lower(this.#value(length)).includes("close")) this.#close = true;
    } else if (this.#is("content-range")) this.#contentRange = this.#value(length);
  }

  #contentLength(digits: string): void {
    if (digits.length > 10 || !isDigits(digits)) throw malformed("a content-length that is no number");
    const value = Number(digits);
    if (this.#length !== undefined && this.#length !== value) throw malformed("two content-lengths");
    this.#length = value;
  }

  /** RFC 9112 section 6.3: how long the body is. */
  #headEnd(): void {
    if (this.#status < 200) return this.#interimEnd();
    if (this.#chunked && this.#length !== undefined) throw malformed("both a length and chunks");
    const empty = this.#status === 204 || this.#status === 304;
    const length = empty ? 0 : this.#length;
    if (empty) this.#state = DONE;
    else if (this.#chunked) this.#state = CHUNK_SIZE;
    else if (length === undefined) {
      this.#state = UNTIL_CLOSE;
      this.#close = true;
    } else {
      this.#left = length;
      this.#state = length === 0 ? DONE : BODY;
    }
    this.#events.onHead({ status: this.#status, length, contentRange: this.#contentRange });
  }

  #interimEnd(): void {
    this.#interim += 1;
    if (this.#status === 101 || this.#interim > MAX_INTERIM)
      throw malformed("interim responses without an end");
    this.#length = undefined;
    this.#chunked = false;
    this.#contentRange = undefined;
    this.#state = STATUS;
  }

  /** chunk-size [chunk-ext] (RFC 9112 section 7.1). */
  #chunkSize(length: number): void {
    const kept = Math.min(length, KEPT);
    let end = 0;
    while (end < kept && !isDelimiter(this.#line[end]!)) end += 1;
    const digits = this.#text(0, end);
    if (digits.length < 1 || digits.length > 7 || !isHex(digits)) throw malformed("a chunk without a size");
    this.#left = parseInt(digits, 16);
    this.#state = this.#left === 0 ? TRAILER : CHUNK;
  }

  /** The line is a header of this lower-case name. */
  #is(name: string): boolean {
    for (let i = 0; i < name.length; i++) {
      const byte = this.#line[i]!;
      if ((byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte) !== name.charCodeAt(i)) return false;
    }
    return this.#line[name.length] === 0x3a;
  }

  #value(length: number): string {
    if (length > KEPT) throw malformed("a header that is needed is too long");
    return this.#text(this.#line.indexOf(0x3a) + 1, length).trim();
  }

  #text(start: number, end: number): string {
    for (let i = start; i < end; i++)
      if (this.#line[i]! > 0x7e) throw malformed("a line that is needed is not ASCII");
    return decodeUtf8(this.#line.subarray(start, end));
  }
}

/** What may follow a chunk's size: extensions, and the white space that some servers pad it with. */
function isDelimiter(byte: number): boolean {
  return byte === 0x3b || byte === 0x20 || byte === 0x09;
}

function lower(text: string): string {
  return text.toLowerCase();
}

function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text[i]! < "0" || text[i]! > "9") return false;
  return text.length > 0;
}

function isHex(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!"0123456789abcdefABCDEF".includes(text[i]!)) return false;
  return true;
}

function malformed(what: string): LinkError {
  return new LinkError("malformed", `not a usable HTTP answer: ${what}`);
}
