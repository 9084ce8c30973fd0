// The main job on the other chips: another ROM, another layout of the flash, another form of the image.

import test from "ava";
import { runDemo, stageNames } from "./run-demo.js";

for (const chip of ["esp8266", "esp32"])
  test.serial(`the demo does all of it on an ${chip}`, async (t) => {
    const { code, result, text } = await runDemo("--chip", chip);
    t.is(code, 0, text);
    t.deepEqual(
      result.stages.map(({ name, ok }) => [name, ok]),
      stageNames.map((name) => [name, true]),
    );
    t.deepEqual(result.ota, { from: "1.0.0", to: "1.0.1", confirmed: true });
    t.like(result.rollback, { from: "1.0.1", rejected: "1.0.2", to: "1.0.1" });
    t.regex(text, new RegExp(`to ${chip} 02:`));
  });
