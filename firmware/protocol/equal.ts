// Comparison that takes the same time wherever the first difference lies, for tags and other secrets.

/** True where both have the same length and bytes. Only the lengths show in the time it takes. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
