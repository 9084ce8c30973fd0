// `broome doctor`: what this computer has, what it lacks, and what to do about it.

import picocolors from "picocolors";
import { examine, missing } from "../doctor/doctor.js";
import type { Finding } from "../doctor/finding.js";
import { thisComputer } from "../doctor/this-computer.js";
import { BroomeError } from "../error.js";
import { sdkChips, sdkTarget } from "../sdk/target.js";
import type { Verb } from "../verb.js";

export const verb: Verb = {
  name: "doctor",
  summary: "what this computer has for the work, and what it lacks",
  configure(command) {
    command
      .option("--chip <chip>", `what a build with --sdk for it needs must be there: ${sdkChips().join(", ")}`)
      .option("--bluetooth", "a Bluetooth adapter must be usable as well");
  },
  async run(context, args, options) {
    const chip = options.chip === undefined ? undefined : sdkTarget(options.chip as string).chip;
    const findings = await examine(thisComputer(), {
      ...(chip !== undefined && { chip }),
      ...(context.port !== undefined && { port: context.port }),
      bluetooth: options.bluetooth === true,
    });
    for (const line of table(findings)) (context.json ? context.log : context.print)(line);
    const lacking = missing(findings);
    if (lacking.length === 0) return { checks: findings };
    throw new BroomeError(
      "not-ready",
      `needed for this, and not in order: ${lacking.map(({ name }) => name).join(", ")}`,
      lacking[0]!.help,
      { fields: { checks: findings } },
    );
  },
};

/** A line a finding: in order, not in order, or not in order and not needed now; below it what to do. */
function table(findings: readonly Finding[]): string[] {
  const { green, red, yellow } = picocolors;
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.flatMap(({ name, ok, needed, found, help }) => {
    const mark = ok ? green("✓") : needed ? red("✗") : yellow("·");
    const line = `${mark} ${name.padEnd(width)}  ${found}`;
    return help === "" ? [line] : [line, `  ${" ".repeat(width)}  ${help}`];
  });
  const notes = findings.filter(({ ok, needed }) => !ok && !needed).length;
  if (notes > 0)
    lines.push(
      `${yellow("·")} is not needed for what was asked; --chip, -p PORT and --bluetooth ask for more.`,
    );
  return lines;
}
