// Commands as one stream of bytes, of which so much is sent ahead of the answers as the other end can hold. Pure.

import { encodeRequest, type Request } from "./command.js";
import { encodeSlip } from "./slip.js";

/** How much may be sent before the first command without an answer is answered. */
export interface Window {
  /** Commands under way, that one included. */
  readonly frames: number;
  /** Bytes behind that one's frame, escapes and all; a frame may be sent in part. */
  readonly bytes: number;
  /** A bootloader that waits for a command looks for the next one so long after it; what comes sooner is lost. */
  readonly pickUpMs?: number;
}

interface Frame {
  readonly bytes: Uint8Array;
  sent: number; // bytes
}

export class FrameStream {
  private readonly requests: readonly Request[];
  private readonly window: Window;
  private readonly frames = new Map<number, Frame>(); // those that are under way, and the next

  constructor(requests: readonly Request[], window: Window) {
    this.requests = requests;
    this.window = window;
  }

  /** What may be sent now that so many are answered, and was not taken before. */
  take(answered: number, frames = this.window.frames): Uint8Array {
    this.frames.delete(answered - 1);
    const pieces: Uint8Array[] = [];
    let room = this.window.bytes;
    const end = Math.min(answered + frames, this.requests.length);
    for (let index = answered; index < end; index += 1) {
      const frame = this.frame(index);
      const { length } = frame.bytes;
      const limit = index === answered ? length : Math.min(length, room);
      if (index > answered) room -= limit;
      if (limit > frame.sent) pieces.push(frame.bytes.subarray(frame.sent, limit));
      frame.sent = Math.max(frame.sent, limit);
      if (limit < length) break;
    }
    return joined(pieces);
  }

  /** Encodes what `take` will ask for next: there is time for it while the other end works. */
  prepare(answered: number): void {
    if (answered < this.requests.length) this.frame(answered);
  }

  private frame(index: number): Frame {
    const known = this.frames.get(index);
    if (known) return known;
    const frame = { bytes: encodeSlip(encodeRequest(this.requests[index]!)), sent: 0 };
    this.frames.set(index, frame);
    return frame;
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
