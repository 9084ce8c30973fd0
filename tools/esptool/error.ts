// What a flasher can fail with, in the codes of CONTRACT.

import { BroomeError } from "../error.js";

/** Codes: `no-answer`, `not-a-bootloader`, `command-refused`, `chip-mismatch`, `flash-*`, `verify-failed`. */
export class FlasherError extends BroomeError {}
