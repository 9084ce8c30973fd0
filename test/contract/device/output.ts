// What the contract firmware said on its console: read, and held against the number of cases.

export interface ContractResult {
  readonly cases: number;
  readonly failed: readonly string[];
}

const END = /contract: end (\d+) (\d+)/;

/** Undefined while it is not over. Throws where the lines do not add up. */
export function contractResult(text: string): ContractResult | undefined {
  const end = END.exec(text);
  if (!end) return undefined;
  const ok = [...text.matchAll(/contract: ok /g)].length;
  const failed = [...text.matchAll(/contract: FAILED (.*)/g)].map(([, what]) => what!.trim());
  if (ok + failed.length !== Number(end[1]) || failed.length !== Number(end[2]))
    throw new Error(`${ok} ok and ${failed.length} failed are not ${end[1]} and ${end[2]}`);
  return { cases: Number(end[1]), failed };
}
