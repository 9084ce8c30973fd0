// How an act ends, for tables of good and bad input.

/** "ok", or the code of what was thrown. What has no code is a fault of ours, and thrown on. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || code.startsWith("ERR_")) throw error;
    return code;
  }
}
