// The faults of a world, each at its moment: on the air for all boards, or on one board.

import type { Air } from "./air.js";
import type { Clock } from "./clock.js";
import type { Fault } from "./world.js";

/** What a fault can do to a board. */
export interface Victim {
  reset(): void;
  /** `operation`: the n-th erase or program from now is torn; undefined: the power goes at once. */
  cutPower(operation: number | undefined): void;
}

/** Sets every fault on the clock. A fault without a board number strikes all of them. */
export function scheduleFaults(
  faults: readonly Fault[],
  clock: Clock,
  air: Air,
  boards: readonly Victim[],
): void {
  for (const fault of faults) clock.set(fault.at, () => strike(fault, air, boards));
}

function strike(fault: Fault, air: Air, boards: readonly Victim[]): void {
  const struck = (number: number | undefined) =>
    boards.filter((_, index) => number === undefined || number === index);
  switch (fault.what) {
    case "appear":
      return air.setFailure(fault.ssid, undefined);
    case "vanish":
      return air.setFailure(fault.ssid, "absent");
    case "fail":
      return air.setFailure(fault.ssid, fault.fail ?? undefined);
    case "disconnect":
      return air.disconnect(fault.ssid, fault.reason);
    case "password":
      return air.setPassword(fault.ssid, fault.password);
    case "signal":
      return air.setSignal(fault.ssid, fault.rssi);
    case "reset":
      return struck(fault.board).forEach((board) => board.reset());
    case "power-cut":
      return struck(fault.board).forEach((board) => board.cutPower(fault.operation));
  }
}
