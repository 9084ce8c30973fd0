// Lines of a transformed module back to the lines its author wrote (ECMA-426, source maps: only lines are kept).

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** For each line of the generated text (from 1, at index 0) the line of the original (from 1). */
export function lineMap(sourceMap: string): Uint32Array {
  const { mappings } = JSON.parse(sourceMap) as { mappings: string };
  const lines: number[] = [];
  let original = 0;
  let last = 1;
  for (const text of mappings.split(";")) {
    let first: number | undefined;
    for (const segment of text.split(",")) {
      const numbers = decode(segment);
      if (numbers.length < 4) continue;
      original += numbers[2]!;
      first ??= original + 1;
    }
    last = first ?? last;
    lines.push(last);
  }
  return Uint32Array.from(lines);
}

/** Base64 VLQ: 5 bits a digit, low first, the sign in the lowest bit. */
function decode(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    if (digit < 0) throw new Error(`source map: unexpected ${JSON.stringify(character)}`);
    value += (digit & 31) * 2 ** shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value % 2 ? -(value - 1) / 2 : value / 2);
    value = 0;
    shift = 0;
  }
  return numbers;
}
