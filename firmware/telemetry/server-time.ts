// The server's time, as far as a reply told it (PROTOCOL section 1, "Time").

/** The server's time `t`, in ms since 1970, when the device's uptime was `uptimeMs`. */
export interface TimePoint {
  t: number;
  uptimeMs: number;
}

export class ServerTime {
  point: TimePoint | undefined;

  /** In ms since 1970, 0 while it is not known. */
  at(uptimeMs: number): number {
    const { point } = this;
    return point ? Math.max(0, Math.round(point.t + uptimeMs - point.uptimeMs)) : 0;
  }
}
