// Errors of the platforms that stand on the SDK: a stable code, which is in the message as well, because logs carry messages alone.

/** An Error with `code`. */
export function fault(code: string, why: string): Error {
  return Object.assign(new Error(`${code}: ${why}`), { code });
}
