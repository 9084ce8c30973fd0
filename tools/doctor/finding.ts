// What `broome doctor` says of one thing: whether it is in order, whether this user needs it, and what to do.

export interface Finding {
  /** Stable, dashed: scripts look for it. */
  readonly name: string;
  readonly ok: boolean;
  /** Without it, what was asked for does not work: only then does a finding that is not ok make the command fail. */
  readonly needed: boolean;
  /** What was found, with the actual values. */
  readonly found: string;
  /** What to do next; empty where nothing is to be done. */
  readonly help: string;
}

/** A thing that is in order. */
export function good(name: string, needed: boolean, found: string): Finding {
  return { name, ok: true, needed, found, help: "" };
}

/** A thing that is not. */
export function bad(name: string, needed: boolean, found: string, help: string): Finding {
  return { name, ok: false, needed, found, help };
}
