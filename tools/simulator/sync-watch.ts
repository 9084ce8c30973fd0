// Notices a flasher that cannot pull lines (a pty has none): a SYNC frame shortly after a reset means download mode.

const WINDOW_MS = 300;
const KEPT = 64; // bytes; a SYNC frame has 46

/** SLIP end, request, SYNC, 36 bytes of data (ESP-IDF, "Serial Protocol"). */
const SYNC_HEAD = Buffer.from([0xc0, 0x00, 0x08, 0x24, 0x00]);

export class SyncWatch {
  private readonly until = performance.now() + WINDOW_MS;
  private recent = Buffer.alloc(0);

  /** The bytes from the beginning of the SYNC frame on, once there is one; else undefined. */
  find(bytes: Uint8Array): Uint8Array | undefined {
    if (performance.now() > this.until) return undefined;
    this.recent = Buffer.concat([this.recent, bytes]);
    const at = this.recent.indexOf(SYNC_HEAD);
    if (at >= 0) return new Uint8Array(this.recent.subarray(at));
    this.recent = this.recent.subarray(-KEPT);
    return undefined;
  }
}
