// Counters of the server, in Prometheus' text format (exposition format 0.0.4), by its naming rules: the application's
// prefix, the unit, `_total` for what only rises (prometheus.io/docs/practices/naming).

const HELP = {
  sync_accepted: "Sync requests that were fresh and are stored.",
  sync_duplicate: "Sync requests that came once more and were answered again without being processed.",
  sync_replay_rejected: "Authentic sync requests that were not fresh.",
  sync_unauthenticated: "Sync requests that got the constant 401.",
  sync_fields_refused: "Invalid optional fields of fresh sync requests, left out.",
  sync_held: "Replies that were held until there was something to say.",
  readings_stored: "Readings that were stored.",
  join_answered: "Joins that were answered with M2.",
  join_repeated: "Joins that got the same M2 again.",
  join_rejected: "Joins that were refused.",
  join_confirmed: "Joins whose first sync showed the code.",
} as const;

export type Counter = keyof typeof HELP;

export class Metrics {
  readonly #counts = new Map<Counter, number>(Object.keys(HELP).map((name) => [name as Counter, 0]));

  add(name: Counter, count = 1): void {
    this.#counts.set(name, this.get(name) + count);
  }

  get(name: Counter): number {
    return this.#counts.get(name)!;
  }

  /** The exposition; `gauges` are figures of the moment, by their full names. */
  text(gauges: Record<string, number>): string {
    const lines: string[] = [];
    for (const [counter, count] of this.#counts) {
      const name = `broome_${counter}_total`;
      lines.push(`# HELP ${name} ${HELP[counter]}`, `# TYPE ${name} counter`, `${name} ${count}`);
    }
    for (const [name, value] of Object.entries(gauges))
      lines.push(`# TYPE ${name} gauge`, `${name} ${value}`);
    return `${lines.join("\n")}\n`;
  }
}
