// What every port shares on its receiving side: bytes wait for a listener, at most 64 KiB, and a loss is told once.

const MAX_WAITING = 64 * 1024; // bytes

export class Inbox {
  private listener: ((bytes: Uint8Array) => void) | undefined;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private lossListener: ((error: Error) => void) | undefined;
  private loss: Error | undefined;
  private readonly onOverrun: (bytes: number) => void;

  /** `onOverrun` is called when nobody listened for too long; the owner then closes the port as lost. */
  constructor(onOverrun: (bytes: number) => void) {
    this.onOverrun = onOverrun;
  }

  push(bytes: Uint8Array): void {
    if (this.loss || bytes.length === 0) return;
    if (this.listener) return this.listener(bytes);
    this.waitingBytes += bytes.length;
    if (this.waitingBytes > MAX_WAITING) {
      this.waiting = [];
      return this.onOverrun(this.waitingBytes);
    }
    this.waiting.push(bytes);
  }

  listen(listener: ((bytes: Uint8Array) => void) | undefined): void {
    this.listener = listener;
    while (this.listener && this.waiting.length > 0) {
      const bytes = this.waiting.shift()!;
      this.waitingBytes -= bytes.length;
      this.listener(bytes);
    }
  }

  onLost(callback: (error: Error) => void): void {
    this.lossListener = callback;
    if (this.loss) callback(this.loss);
  }

  /** The port is gone. Only the first call counts. */
  lose(error: Error): void {
    if (this.loss) return;
    this.loss = error;
    this.lossListener?.(error);
  }

  /** Why the port is gone, if it is. */
  get lost(): Error | undefined {
    return this.loss;
  }
}
