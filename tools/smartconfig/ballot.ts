// A value heard again and again through noise: the one with the most votes stands. Bounded: rare candidates are forgotten.

const MAX_CANDIDATES = 8;

export class Ballot<T> {
  private readonly votes = new Map<T, number>();

  vote(value: T, weight = 1): void {
    const sum = (this.votes.get(value) ?? 0) + weight;
    this.votes.set(value, sum);
    if (this.votes.size > MAX_CANDIDATES) this.votes.delete(this.rarest());
  }

  /** The one that leads all others by at least `least` votes. */
  winner(least: number): T | undefined {
    const [first, second] = [...this.votes].sort(([, a], [, b]) => b - a);
    return first && first[1] >= least + (second?.[1] ?? 0) ? first[0] : undefined;
  }

  /** True where there is one candidate only. */
  get unanimous(): boolean {
    return this.votes.size === 1;
  }

  private rarest(): T {
    return [...this.votes].reduce((least, entry) => (entry[1] < least[1] ? entry : least))[0];
  }
}
