// What both entry points do before anything is built or installed: check Node, and end with an error that a user can act on.

/** Ends as every verb does: the last line on stdout is JSON when --json is given. */
export function fail(code, message, help) {
  if (process.argv.includes("--json")) console.log(JSON.stringify({ ok: false, code, message, help }));
  console.error(`broome: ${message}\n  ${help}`);
  process.exit(1);
}

export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 17))
    fail(
      "node-too-old",
      `Node ${process.versions.node} is too old`,
      "Install Node 20.17 or newer: https://nodejs.org",
    );
}
