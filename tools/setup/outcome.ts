// What an attempt to bring a board online came to, whichever way it was asked for.

export interface Outcome {
  readonly ssid: string;
  readonly ip?: string;
  readonly mac?: string;
  readonly url?: string;
  /** Why it failed: a reason of the device's vocabulary, with the raw code in brackets. */
  readonly reason?: string;
  /** The same in the device's words. */
  readonly said?: string;
}

/** A network that the board hears. */
export interface Heard {
  readonly name: string;
  readonly rssi: number; // dBm
  readonly secured: boolean;
}

/** What a person can do about it. */
export function wordsFor(reason: string): string {
  switch (reason.split(" ")[0]) {
    case "wrong-password":
      return "The router did not accept the password.";
    case "not-found":
      return "The board does not hear that network. It hears 2.4 GHz only.";
    case "no-address":
      return "The router gave no address: it may be full or busy.";
    case "not-accepted":
      return "A name has 1 to 32 bytes; a password 8 to 63, or 64 hex digits.";
    default:
      return "The router did not answer in time.";
  }
}
