// A bounded HTTP/1.1 client (RFC 9110, RFC 9112) over the board's sockets: one server, one request at a time, nothing followed.

import type { OpenTcp, Resolve, Tcp, Timer } from "../device/types.js";
import { encodeUtf8 } from "../format/utf8.js";
import { Connection } from "./connection.js";
import type { ConnectionOwner } from "./connection.js";
import { LinkError } from "./error.js";
import type { Head } from "./http-response.js";
import { ResponseParser } from "./http-response.js";

export interface HttpOptions {
  tcp: OpenTcp;
  resolve: Resolve;
  timer: Timer;
  host: string; // dotted IPv4 or DNS name
  port: number;
}

export interface HttpRequest {
  method: "GET" | "POST";
  path: string; // begins with "/", visible ASCII only
  contentType?: string; // of `body`
  body?: Uint8Array;
  /** From the call to the last byte of the answer. */
  timeoutMs: number;
  /** Longest body taken, in bytes. */
  maxBody: number;
  /**
   * Asks for these bytes only (RFC 9110 section 14.2). A 206 with any other range or total fails with `wrong-range`; the
   * caller refuses every status but 206.
   */
  range?: { first: number; length: number; total: number };
  /** Takes the body as it comes, in views valid during the call; `body` of the response is empty then. A throw fails the request. */
  onBody?(bytes: Uint8Array): void;
  /** Leaves the connection open for the next request. Default: closed. */
  keepAlive?: boolean;
}

export interface HttpResponse {
  status: number;
  /** Of a 200, or the 206 to a range; of any other status nothing is read. */
  body: Uint8Array;
}

/** One read from the socket: bounds the garbage that a burst makes. */
const READ_SIZE = 512;
const FIRST_BODY = 256; // bytes, where the answer does not say its length

interface Job {
  request: HttpRequest;
  resolve(response: HttpResponse): void;
  reject(error: unknown): void;
  timer: unknown;
  fresh: boolean; // on a connection made for it
  answered: boolean; // a byte of the answer has come
  unsent: Uint8Array[];
  parser: ResponseParser;
  status: number; // 0 before the head
  kept: boolean; // the body is wanted
  body: Uint8Array;
  length: number; // of the body so far
}

/**
 * A client of one server. Requests are answered in the order sent because only one is out at a time. A request on a kept
 * connection that the server closed meanwhile is sent once more on a new one: every request of this project can be repeated.
 */
export class HttpClient implements ConnectionOwner {
  readonly #options: HttpOptions;
  #tcp: Tcp | undefined;
  #room = 0; // bytes that the socket takes now
  #job: Job | undefined;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** A request is under way. */
  get busy(): boolean {
    return this.#job !== undefined;
  }

  /** Rejects with LinkError, or with what `onBody` threw. Redirects and errors are answers: their status is returned. */
  request(request: HttpRequest): Promise<HttpResponse> {
    if (this.#job) return Promise.reject(new Error("a request is under way"));
    const job = jobOf(request, this.#options);
    const answer = new Promise<HttpResponse>((resolve, reject) => {
      job.resolve = resolve;
      job.reject = reject;
    });
    this.#job = job;
    job.timer = this.#options.timer.set(() => this.timeOut(), request.timeoutMs);
    if (this.#tcp) this.#flush();
    else this.#connect(job);
    return answer;
  }

  /** Ends the request under way, if there is one: it rejects with `aborted`. */
  abort(): void {
    if (this.#job) this.#fail(this.#job, new LinkError("aborted", "the request was given up"));
  }

  /** The time of the request under way is over; its timer calls this. */
  timeOut(): void {
    const job = this.#job;
    if (job) this.#fail(job, new LinkError("timeout", `no answer within ${job.request.timeoutMs} ms`));
  }

  /** Ends everything. May be called twice; a later request opens a new connection. */
  close(): void {
    this.abort();
    this.#drop();
  }

  #connect(job: Job): void {
    job.fresh = true;
    const { host, resolve } = this.#options;
    if (isAddress(host)) return this.#open(job, host);
    resolve(host, (address) => {
      if (this.#job !== job || this.#tcp) return;
      if (address === undefined) this.#fail(job, new LinkError("unreachable", `${host} does not resolve`));
      else this.#open(job, address);
    });
  }

  #open(job: Job, address: string): void {
    this.#room = 0;
    try {
      this.#tcp = new Connection(this, address, this.#options.port).open(this.#options.tcp);
    } catch {
      this.#fail(job, new LinkError("unreachable", `no connection to ${address}`));
    }
  }

  onWritable(tcp: Tcp, room: number): void {
    if (this.#tcp !== tcp) return;
    this.#room = room;
    this.#flush();
  }

  #flush(): void {
    const job = this.#job;
    if (!job) return;
    const { unsent } = job;
    try {
      while (unsent.length > 0 && this.#room > 0) {
        const part = unsent[0]!;
        const length = Math.min(part.length, this.#room);
        this.#room -= length;
        if (length < part.length) unsent[0] = part.subarray(length);
        else unsent.shift();
        this.#tcp!.write(part.subarray(0, length));
      }
    } catch {
      // The connection went while its end is still on its way as an event.
      this.#fail(job, new LinkError("unreachable", "the connection takes nothing more"));
    }
  }

  onReadable(tcp: Tcp): void {
    while (this.#tcp === tcp) {
      const bytes = tcp.read(READ_SIZE);
      if (!bytes || bytes.length === 0) return;
      const job = this.#job;
      if (!job) return this.#drop(); // stray bytes between answers: that connection is not to be trusted
      job.answered = true;
      try {
        this.#take(job, bytes);
      } catch (error) {
        this.#fail(job, error);
      }
    }
  }

  #take(job: Job, bytes: Uint8Array): void {
    let at = 0;
    while (this.#job === job && at < bytes.length && !job.parser.done) {
      const from = at;
      at = job.parser.take(bytes, from);
      const told = job.parser.tell();
      if (told === "head") this.#head(job, job.parser.head);
      else if (told === "body") this.#body(job, bytes.subarray(from, at));
    }
    if (this.#job === job && job.parser.done) this.#finish(job, at === bytes.length);
  }

  #head(job: Job, head: Head): void {
    const { range, maxBody } = job.request;
    job.status = head.status;
    job.kept = head.status === (range ? 206 : 200);
    if (!job.kept) return this.#finish(job, false);
    if (range && !isRange(head, range))
      throw new LinkError("wrong-range", "other bytes than those asked for");
    if (head.length !== undefined && head.length > maxBody) throw tooLarge(head.length, maxBody);
    if (job.request.onBody) return;
    job.body = new Uint8Array(head.length ?? range?.length ?? Math.min(FIRST_BODY, maxBody));
  }

  #body(job: Job, bytes: Uint8Array): void {
    const { maxBody, onBody } = job.request;
    const length = job.length + bytes.length;
    if (length > maxBody) throw tooLarge(length, maxBody);
    if (onBody) onBody(bytes);
    else {
      if (length > job.body.length)
        job.body = grown(job.body, Math.min(maxBody, Math.max(length, 2 * job.body.length)));
      job.body.set(bytes, job.length);
    }
    job.length = length;
  }

  onError(tcp: Tcp, why: "closed" | "error"): void {
    if (why === "closed") this.onReadable(tcp);
    if (this.#tcp !== tcp) return;
    const job = this.#job;
    this.#drop();
    if (!job) return;
    if (!job.answered && !job.fresh) {
      job.unsent = partsOf(job.request, this.#options);
      return this.#connect(job);
    }
    try {
      if (why === "error" || !job.answered) throw noAnswer(job, this.#options);
      job.parser.end();
      this.#finish(job, false);
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #finish(job: Job, clean: boolean): void {
    const { range, onBody, keepAlive } = job.request;
    if (job.kept && range && job.length !== range.length)
      return this.#fail(job, new LinkError("wrong-range", `${job.length} bytes for ${range.length}`));
    this.#end(job);
    if (!clean || !keepAlive || !job.parser.keepsAlive || job.unsent.length > 0) this.#drop();
    const body = job.kept && !onBody ? job.body.subarray(0, job.length) : new Uint8Array(0);
    job.resolve({ status: job.status, body });
  }

  #fail(job: Job, error: unknown): void {
    if (this.#job !== job) return;
    this.#end(job);
    this.#drop();
    job.reject(error);
  }

  #end(job: Job): void {
    this.#job = undefined;
    this.#options.timer.clear(job.timer);
  }

  #drop(): void {
    const tcp = this.#tcp;
    this.#tcp = undefined;
    this.#room = 0;
    tcp?.close();
  }
}

function jobOf(request: HttpRequest, options: HttpOptions): Job {
  return {
    request,
    resolve: undefined!,
    reject: undefined!,
    timer: undefined,
    fresh: false,
    answered: false,
    unsent: partsOf(request, options),
    parser: new ResponseParser(),
    status: 0,
    kept: false,
    body: new Uint8Array(0),
    length: 0,
  };
}

/** What has to be sent. */
function partsOf(request: HttpRequest, options: HttpOptions): Uint8Array[] {
  const head = headOf(request, options);
  return request.body?.length ? [head, request.body] : [head];
}

/** The request's head. What goes into it was checked when it was configured; a line end here would be a fault of ours. */
function headOf(request: HttpRequest, { host, port }: HttpOptions): Uint8Array {
  const { method, path, contentType, body, range, keepAlive } = request;
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n`;
  if (contentType) head += `Content-Type: ${contentType}\r\n`;
  if (method === "POST") head += `Content-Length: ${body?.length ?? 0}\r\n`;
  if (range) head += `Range: bytes=${range.first}-${range.first + range.length - 1}\r\n`;
  if (!keepAlive) head += "Connection: close\r\n";
  return encodeUtf8(`${head}\r\n`);
}

/** The head says exactly the bytes asked for, of a file of exactly that size (RFC 9110 section 14.4). */
function isRange({ length, range }: Head, asked: { first: number; length: number; total: number }): boolean {
  if (!range || (length !== undefined && length !== asked.length)) return false;
  return (
    range.first === asked.first &&
    range.last === asked.first + asked.length - 1 &&
    range.total === asked.total
  );
}

function isAddress(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => String(Number(part)) === part && Number(part) <= 255);
}

function grown(bytes: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(bytes);
  return larger;
}

function tooLarge(length: number, most: number): LinkError {
  return new LinkError("too-large", `a body of ${length} bytes or more, at most ${most}`);
}

function noAnswer(job: Job, { host, port }: HttpOptions): LinkError {
  return job.answered
    ? new LinkError("closed", "the connection broke inside the answer")
    : new LinkError("unreachable", `no answer from ${host}:${port}`);
}
