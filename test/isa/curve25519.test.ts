// The device's curve25519 on the cores of the chips: right, as fast as promised, in a small stack, in flash.

import test from "ava";
import { CORES, LX106, missingFor } from "./cores.js";
import { TARGETS, measureCurve25519 } from "./curve25519.js";

for (const core of CORES) {
  const missing = missingFor(core);
  if (missing) console.error(`!!! curve25519 is NOT run on ${core.name}: ${missing} !!!`);
  const check = missing && process.env["BROOME_NO_SKIP"] !== "1" ? test.skip : test;

  check(`${core.name}: curve25519 keeps its promises`, async (t) => {
    if (missing) return t.fail(missing);
    t.timeout(300_000);
    const { measurements, flash, elsewhere } = await measureCurve25519(core);
    const counts = (name: string) =>
      measurements.filter((one) => one.name === name).map(({ instructions }) => instructions);
    t.true(counts("x25519")[0]! <= TARGETS.x25519, `${counts("x25519")[0]} instructions`);
    for (const count of [...counts("ed25519"), ...counts("ed25519-refused")])
      t.true(count <= TARGETS.ed25519, `${count} instructions`);
    t.is(counts("x25519-secret").length, 4);
    t.is(new Set(counts("x25519-secret")).size, 1, "the count depends on the secret");
    for (const { name, untended, stack } of measurements) {
      t.true(untended <= TARGETS.untended, `${name}: ${untended} instructions without the hook`);
      t.true(stack > 64 && stack <= TARGETS.stack, `${name}: ${stack} bytes of stack`);
    }
    t.true(flash <= TARGETS.flash, `${flash} bytes of flash`);
    if (core === LX106) t.deepEqual(elsewhere, []);
  });
}
