// Serial ports: which there are, whether this user may open them, and what on Linux is known to take them away.

import type { ListedPort } from "../serial/list.js";
import { bad, good, type Finding } from "./finding.js";
import type { Probes, User } from "./probes.js";

/** Groups that own serial ports: dialout on Debian, Fedora, SUSE; uucp on Arch. */
const SERIAL_GROUPS = ["dialout", "uucp"];
const RULE_FOLDERS = ["/etc/udev/rules.d", "/run/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];

export interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** `port` is the one that the user named. */
export async function checkSerial(probes: Probes, port: string | undefined): Promise<Finding[]> {
  const ports = await probes.ports();
  if (probes.platform !== "linux") return [checkPorts(ports, port)];
  const named = port?.startsWith("/") ? port : undefined; // not rfc2217://
  if (named !== undefined && probes.access(named) === undefined)
    return [
      bad(
        "ports",
        true,
        `there is no ${named}${others(ports)}`,
        "Is the board plugged in, with a cable that carries data?",
      ),
      checkPermission(probes, [], false),
      checkUdev(probes),
    ];
  const paths = named !== undefined ? [named] : ports.map(({ path }) => path);
  return [checkPorts(ports, port), checkPermission(probes, paths, named !== undefined), checkUdev(probes)];
}

function others(ports: readonly ListedPort[]): string {
  return ports.length === 0 ? "" : `; there is ${ports.map(({ path }) => path).join(", ")}`;
}

function checkPorts(ports: readonly ListedPort[], given: string | undefined): Finding {
  if (given !== undefined) return good("ports", given.startsWith("/"), `${given}, as given`);
  if (ports.length === 0)
    return bad(
      "ports",
      false,
      "no serial port of a USB adapter",
      "Plug a board in with a cable that carries data, or start a virtual one: broome sim.",
    );
  return good("ports", false, ports.map(portText).join("; "));
}

function portText({ path, description, vendorId, productId }: ListedPort): string {
  const id = (value: number | undefined) => (value ?? 0).toString(16).padStart(4, "0");
  return `${path} ${description ?? "unnamed"} (${id(vendorId)}:${id(productId)})`;
}

function checkPermission(probes: Probes, paths: readonly string[], needed: boolean): Finding {
  const { user } = probes;
  const groups = parseGroups(probes.read("/etc/group") ?? "");
  for (const path of paths) {
    const access = probes.access(path);
    if (access === undefined)
      return bad("serial-permission", needed, `there is no ${path}`, "Is the board plugged in?");
    if (access.allowed) continue;
    const group = groups.find(({ gid }) => gid === access.gid);
    const owner = group ?? { name: String(access.gid), gid: access.gid, members: [] };
    return bad(
      "serial-permission",
      needed,
      `${user.name} may not open ${path}: it belongs to group ${owner.name}`,
      helpToJoin(owner, user, group !== undefined && SERIAL_GROUPS.includes(owner.name)),
    );
  }
  if (paths.length > 0) return good("serial-permission", needed, `${paths.join(", ")} can be opened`);
  return checkMembership(groups, user);
}

/** No port to try: is the user in the group that a port will have? */
function checkMembership(groups: readonly Group[], user: User): Finding {
  const name = "serial-permission";
  if (user.uid === 0) return good(name, false, "root may open every port");
  // Debian has both, and gives ports to dialout.
  const owner = SERIAL_GROUPS.map((one) => groups.find((group) => group.name === one)).find(Boolean);
  if (owner === undefined)
    return bad(
      name,
      false,
      `there is no group ${SERIAL_GROUPS.join(" or ")}`,
      "Plug a board in and ask again.",
    );
  if (user.groups.includes(owner.gid)) return good(name, false, `${user.name} is in ${owner.name}`);
  return bad(name, false, `${user.name} is not in group ${owner.name}`, helpToJoin(owner, user, true));
}

function helpToJoin(owner: Group, user: User, usual: boolean): string {
  if (!usual)
    return "udev gives serial ports to dialout (uucp on Arch): mend the rule that set this group, or see `udev`.";
  if (owner.members.includes(user.name))
    return `${user.name} was added to ${owner.name} already: log out and in again.`;
  return `Run: sudo usermod -a -G ${owner.name} "$USER", then log out and in again.`;
}

/** udev gives ports their group; brltty's rules take USB adapters that ESP boards share with Braille displays. */
function checkUdev(probes: Probes): Finding {
  const files = RULE_FOLDERS.flatMap((folder) => probes.list(folder).map((name) => `${folder}/${name}`));
  const first = new Map(files.reverse().map((path) => [path.slice(path.lastIndexOf("/") + 1), path])); // the earlier folder wins
  // An empty file of the same name, a link to /dev/null, is how a rule is masked.
  const thief = [...first].find(
    ([name, path]) => /brltty.*\.rules$/.test(name) && (probes.read(path) ?? "").trim() !== "",
  );
  if (thief)
    return bad(
      "udev",
      false,
      `${thief[1]}: brltty takes USB adapters (CH340, CP210x) for Braille displays, and /dev/ttyUSB0 vanishes`,
      "Without a Braille display: sudo apt remove brltty, then plug the board in again.",
    );
  if (probes.exists("/run/udev")) return good("udev", false, "runs; no rule is known to take boards away");
  return bad(
    "udev",
    false,
    "udev does not run here (a container?): ports keep the group that the host gave them",
    "Hand the port to the container (docker run --device /dev/ttyUSB0), or work on the host.",
  );
}

/** /etc/group (group(5)): name, password, id, members. Lines that are none are passed over. */
export function parseGroups(text: string): Group[] {
  const groups: Group[] = [];
  for (const line of text.split("\n")) {
    const parts = line.split(":");
    if (parts.length !== 4 || !/^\d+$/.test(parts[2]!)) continue;
    groups.push({ name: parts[0]!, gid: Number(parts[2]), members: parts[3]!.split(",").filter(Boolean) });
  }
  return groups;
}
