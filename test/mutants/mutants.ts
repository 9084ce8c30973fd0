// The checks that the project rests on, each with the change that removes it and the tests that must notice.

import { atRestMutants } from "./at-rest.js";
import { connectMutants } from "./connect.js";
import { curve25519Mutants } from "./curve25519.js";
import { boardMutants } from "./boards.js";
import { firmwareMutants } from "./firmware.js";
import { hostMutants } from "./host.js";
import { serialMutants } from "./serial.js";
import { smartconfigMutants } from "./smartconfig.js";
import { wireMutants } from "./wire.js";

export interface Mutant {
  /** The check that is removed, in words. */
  name: string;
  file: string;
  /** Text that occurs once in the file. */
  find: string;
  replace: string;
  /** Test files of which at least one must go red. */
  tests: string[];
}

export const mutants: readonly Mutant[] = [
  ...hostMutants,
  ...atRestMutants,
  ...serialMutants,
  ...wireMutants,
  ...firmwareMutants,
  ...connectMutants,
  ...curve25519Mutants,
  ...boardMutants,
  ...smartconfigMutants,
];
