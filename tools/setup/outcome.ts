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

/** Why no server takes a board that is on line. */
export function wordsForServer(reason: string): string {
  if (reason === "server-rejected (429)") return "The server asks to wait: it was asked too often.";
  switch (reason.split(" ")[0]) {
    case "wrong-server":
      return "Another server answers there than the one of this pin.";
    case "no-pin":
      return "Without its pin the server cannot be told from another.";
    case "no":
      return "There is no usable join key.";
    case "server-rejected":
      return "The server does not take this join key.";
    default:
      return "The server does not answer.";
  }
}
