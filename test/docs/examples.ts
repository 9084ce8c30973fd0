// All examples of SPEC.md, by name.

import { boardExamples } from "./examples-board.js";
import { joinExamples } from "./examples-join.js";
import { restExamples } from "./examples-rest.js";
import { serverExamples } from "./examples-server.js";
import { storeExamples } from "./examples-store.js";
import { updateExamples } from "./examples-update.js";
import { wireExamples } from "./examples-wire.js";
import type { Examples } from "./example.js";

export const examples: Examples = {
  ...restExamples,
  ...storeExamples,
  ...wireExamples,
  ...joinExamples,
  ...updateExamples,
  ...serverExamples,
  ...boardExamples,
};
