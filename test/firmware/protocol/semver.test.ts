import test from "ava";
import { compareVersions, isVersion } from "../../../firmware/protocol/semver.js";

test("versions in the order of semver.org's section 11", (t) => {
  const ordered = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
    "18446744073709551616.0.0",
  ];
  for (const [i, a] of ordered.entries())
    for (const [j, b] of ordered.entries())
      t.is(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} against ${b}`);
  t.is(compareVersions("1.0.0+a", "1.0.0+b"), 0);
});

test("what is a version and what is not", (t) => {
  for (const good of ["0.0.0", "1.2.3", "1.0.0-0", "1.0.0-a.b-c.1", "1.0.0+001", "1.0.0-x+y.z"])
    t.true(isVersion(good));
  const bad = [
    "",
    "1",
    "1.2",
    "1.2.3.4",
    "01.2.3",
    "1.02.3",
    "v1.2.3",
    "1.2.3-",
    "1.2.3-01",
    "1.2.3-a..b",
    "1.2.3+",
  ];
  for (const value of [...bad, " 1.2.3", "1.2.3\n", "1.2.-3", `1.2.3-${"a".repeat(26)}`, 1.2, null])
    t.false(isVersion(value), String(value));
});
