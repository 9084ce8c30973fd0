// The list of mutants stays true: what a row removes stands in its file, once. (`npm run test:mutants` tries them.)

import test from "ava";
import { existsSync, readFileSync } from "node:fs";
import { mutants } from "./mutants.js";

test("every mutant's text occurs once in its file, and its tests are there", (t) => {
  const astray = mutants.filter(
    ({ file, find, tests }) =>
      !existsSync(file) ||
      readFileSync(file, "utf8").split(find).length !== 2 ||
      !tests.every((path) => existsSync(path)),
  );
  t.deepEqual(
    astray.map(({ name }) => name),
    [],
  );
});
