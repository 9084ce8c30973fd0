// Which port to use when the user named none: the only one that there is.

import { BroomeError } from "../error.js";
import { listPorts, type ListedPort } from "./list.js";

/** @throws BroomeError `port-not-found`, with a list when there are several */
export async function choosePort(
  given: string | undefined,
  list: () => Promise<readonly ListedPort[]> = listPorts,
): Promise<string> {
  if (given !== undefined) return given;
  const ports = await list();
  if (ports.length === 1) return ports[0]!.path;
  if (ports.length === 0) {
    const help =
      "Plug the board in, or start a virtual one (broome sim) and give its port with -p PORT or BROOME_PORT.";
    throw new BroomeError("port-not-found", "no serial port of a USB adapter was found", help);
  }
  const lines = ports.map(({ path, description }) => `  ${path}  ${description ?? ""}`.trimEnd());
  const message = `${ports.length} serial ports could be the board:\n${lines.join("\n")}`;
  throw new BroomeError("port-not-found", message, "Choose one with -p PORT or BROOME_PORT.");
}
