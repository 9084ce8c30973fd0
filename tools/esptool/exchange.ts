// One request and its response over a serial port: frames, time limits, and what to make of silence or noise.

import type { SerialPort } from "../serial/port.js";
import {
  decodeResponse,
  encodeRequest,
  MAX_PACKET,
  opName,
  reasonText,
  splitBody,
  type Request,
  type Response,
} from "./command.js";
import { FlasherError } from "./error.js";
import { FrameStream, type Window } from "./frame-stream.js";
import { encodeSlip, SlipReader } from "./slip.js";

export const DEFAULT_TIMEOUT_MS = 3000;
const MAX_QUEUED = 256; // packets; a stub sends 64 ahead at most
const MAX_STRAY = 2048; // bytes of the last noise, to tell what is at the other end

export interface RequestOptions {
  timeoutMs?: number;
  /** Bytes of data expected before the status. */
  dataLength?: number;
}

export interface BatchOptions extends RequestOptions {
  window: Window;
  /** Called at every answer. */
  onResult?(count: number): void;
}

export interface Result {
  readonly value: number;
  readonly data: Uint8Array;
}

/** The bootloader said no. `code` is `command-refused`. */
export class RefusedError extends FlasherError {
  readonly reason: number;

  constructor(op: number, reason: number) {
    const help = "Try again, with a lower baud rate (-b 115200) if the reason is a bad line.";
    super("command-refused", `${opName(op)} was refused: ${reasonText(reason)}`, help);
    this.reason = reason;
  }
}

export class Exchange {
  readonly port: SerialPort;
  /** Bytes on the wire, frames and escapes included. */
  readonly traffic = { sent: 0, received: 0 };
  private readonly signal: AbortSignal | undefined;
  private readonly slip: SlipReader;
  private queue: Uint8Array[] = [];
  private stray = "";
  private wake: () => void = () => undefined;
  private lost: Error | undefined;

  constructor(port: SerialPort, signal?: AbortSignal) {
    this.port = port;
    this.signal = signal;
    this.slip = new SlipReader(MAX_PACKET, {
      onPacket: (packet) => {
        if (this.queue.length < MAX_QUEUED) this.queue.push(packet);
        this.wake();
      },
      onStray: (bytes) => {
        this.stray = (this.stray + String.fromCharCode(...bytes.subarray(-MAX_STRAY))).slice(-MAX_STRAY);
      },
    });
    port.onLost((error) => {
      this.lost = error;
      this.wake();
    });
    port.listen((bytes) => {
      this.traffic.received += bytes.length;
      this.slip.push(bytes);
    });
    signal?.addEventListener("abort", this.onAbort);
  }

  /** Stops listening; the port stays open. */
  close(): void {
    this.signal?.removeEventListener("abort", this.onAbort);
    if (!this.lost) this.port.listen(undefined);
  }

  /** What came outside any frame since `forget`: a boot log, an app's output. */
  get strayText(): string {
    return this.stray;
  }

  /** Drops all that has come so far. */
  forget(): void {
    this.queue = [];
    this.stray = "";
    this.slip.reset();
  }

  /** @throws what the port throws; the signal's reason */
  async send(packet: Uint8Array): Promise<void> {
    await this.sendBytes(encodeSlip(packet));
  }

  private async sendBytes(bytes: Uint8Array): Promise<void> {
    this.checkAlive();
    if (bytes.length === 0) return;
    this.traffic.sent += bytes.length;
    await this.port.write(bytes);
  }

  /**
   * One command and its answer.
   *
   * @throws RefusedError; FlasherError `no-answer`; CommandError; what the port throws; the signal's reason
   */
  async request(request: Request, options: RequestOptions = {}): Promise<Result> {
    const response = await this.ask(request, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    return resultOf(response, options.dataLength ?? 0);
  }

  /**
   * Commands, the next ones sent before the last is answered. Answers bear no number, they are told by their order: where one
   * is missing or refused, none after it counts.
   *
   * @throws as `request`; late answers may still come then, and a frame may have been sent in part
   */
  async requestAll(requests: readonly Request[], options: BatchOptions): Promise<Result[]> {
    const { window, timeoutMs = DEFAULT_TIMEOUT_MS, dataLength = 0 } = options;
    const stream = new FrameStream(requests, window);
    const results: Result[] = [];
    this.queue = [];
    if (requests.length > 1 && window.pickUpMs !== undefined) {
      await this.sendBytes(stream.take(0, 1));
      await this.sleep(window.pickUpMs);
    }
    for (const { op } of requests) {
      await this.sendBytes(stream.take(results.length));
      stream.prepare(results.length + window.frames);
      results.push(resultOf(await this.answerTo(op, timeoutMs), dataLength));
      options.onResult?.(results.length);
    }
    return results;
  }

  private async ask(request: Request, timeoutMs: number): Promise<Response> {
    this.queue = []; // late answers to earlier commands
    await this.send(encodeRequest(request));
    return this.answerTo(request.op, timeoutMs);
  }

  private async answerTo(op: number, timeoutMs: number): Promise<Response> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const response = await this.nextResponse(deadline);
      if (!response) break;
      if (response.op === op) return response;
    }
    const message = `no answer to ${opName(op)} within ${timeoutMs} ms from ${this.port.name}`;
    throw new FlasherError("no-answer", message, "Check cable and power, then run the same command again.");
  }

  /** The next packet that is a response; undefined at the deadline (Date.now() milliseconds). */
  async nextResponse(deadline: number): Promise<Response | undefined> {
    for (;;) {
      const packet = await this.nextPacket(deadline);
      if (!packet) return undefined;
      try {
        return decodeResponse(packet);
      } catch {
        continue; // an echo of our own request, or noise in the form of a frame
      }
    }
  }

  /** The next packet of any kind; undefined at the deadline. */
  async nextPacket(deadline: number): Promise<Uint8Array | undefined> {
    for (;;) {
      this.checkAlive();
      const packet = this.queue.shift();
      if (packet) return packet;
      const left = deadline - Date.now();
      if (left <= 0) return undefined;
      await this.something(left);
    }
  }

  /** @throws the signal's reason */
  async sleep(ms: number): Promise<void> {
    const end = Date.now() + ms;
    for (let left = ms; left > 0; left = end - Date.now()) {
      this.checkAlive();
      await this.something(left);
    }
  }

  private something(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private readonly onAbort = (): void => this.wake();

  private checkAlive(): void {
    this.signal?.throwIfAborted();
    if (this.lost) throw this.lost;
  }
}

/** @throws RefusedError, CommandError */
function resultOf(response: Response, dataLength: number): Result {
  const outcome = splitBody(response.body, dataLength);
  if (outcome.reason !== undefined) throw new RefusedError(response.op, outcome.reason);
  return { value: response.value, data: outcome.data };
}
