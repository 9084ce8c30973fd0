// Where the maker's update keys lie.

import { homedir } from "node:os";
import { join } from "node:path";

/** `option`, else `$BROOME_KEYS`, else ~/.config/broome/keys. */
export function keysDirectory(option?: string): string {
  return option ?? process.env.BROOME_KEYS ?? join(homedir(), ".config", "broome", "keys");
}
