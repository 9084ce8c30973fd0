// The gadget's own program: change it, then `broome build patch flash`, or publish it as an update.

import type { AppApi } from "../agent/app-api.js";

const PERIOD_MS = 1000;

/** A weather station that makes its weather up: put your sensor's readings in place of the sine. */
export default function app({ telemetry, pins, config, log, timer }: AppApi): void {
  const step = (2 * Math.PI) / Number(config.get("steps") ?? 60);
  let angle = 0;

  timer.repeat(() => {
    angle += step;
    telemetry.add("temperature", Math.round(300 + 50 * Math.sin(angle)) / 10);
    telemetry.add("humidity", Math.round(60 - 15 * Math.sin(angle)));
  }, PERIOD_MS);

  pins.on(1, (value) => {
    log("app", `V1 is ${value}`);
    pins.write(2, value);
  });
}
