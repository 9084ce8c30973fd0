// The serial ports of this computer that may be a board, with what their USB adapter says about itself.

import { readdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SerialPort as NodeSerialPort } from "serialport";

export interface ListedPort {
  readonly path: string;
  /** "Silicon Labs CP2102 USB to UART Bridge", as the adapter says. */
  readonly description: string | undefined;
  readonly vendorId: number | undefined;
  readonly productId: number | undefined;
}

/** USB ports first those with ids of makers that ESP boards use, then the rest; ports without USB ids are left out. */
export async function listPorts(): Promise<ListedPort[]> {
  const ports = await allPorts();
  return ports
    .filter((port) => port.vendorId !== undefined)
    .sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path));
}

/** Ids of the adapter behind a port, where there is one. */
export async function usbIds(path: string): Promise<{ vendorId: number; productId: number } | undefined> {
  if (process.platform === "linux") return linuxUsb(path)?.ids;
  const found = (await allPorts()).find((port) => port.path === path);
  if (found?.vendorId === undefined || found.productId === undefined) return undefined;
  return { vendorId: found.vendorId, productId: found.productId };
}

/** Adapters seen on ESP boards: Espressif itself, Silicon Labs, WCH, FTDI. */
const USUAL_VENDORS = [0x303a, 0x10c4, 0x1a86, 0x0403];

function rank(port: ListedPort): number {
  const index = USUAL_VENDORS.indexOf(port.vendorId!);
  return index === -1 ? USUAL_VENDORS.length : index;
}

async function allPorts(): Promise<ListedPort[]> {
  if (process.platform === "linux") return linuxPorts(); // serialport's list fails where udevadm is missing
  const ports = await NodeSerialPort.list();
  return ports.map((port) => ({
    path: port.path,
    description: (port as { friendlyName?: string }).friendlyName ?? port.manufacturer,
    vendorId: port.vendorId ? Number.parseInt(port.vendorId, 16) : undefined,
    productId: port.productId ? Number.parseInt(port.productId, 16) : undefined,
  }));
}

function linuxPorts(root = "/sys/class/tty"): ListedPort[] {
  return names(root)
    .filter((name) => /^tty(USB|ACM)\d+$/.test(name))
    .map((name) => {
      const usb = linuxUsb(`/dev/${name}`, root);
      return {
        path: `/dev/${name}`,
        description: usb?.description,
        vendorId: usb?.ids.vendorId,
        productId: usb?.ids.productId,
      };
    });
}

/** sysfs: the tty's device lies some folders below the USB device, which has idVendor and idProduct. */
function linuxUsb(path: string, root = "/sys/class/tty") {
  let folder: string;
  try {
    folder = realpathSync(join(root, basename(realpathSync(path)), "device"));
  } catch {
    return undefined; // not a device of this machine
  }
  for (let level = 0; level < 5; level += 1, folder = dirname(folder)) {
    const vendorId = Number.parseInt(text(join(folder, "idVendor")) ?? "", 16);
    const productId = Number.parseInt(text(join(folder, "idProduct")) ?? "", 16);
    if (Number.isNaN(vendorId) || Number.isNaN(productId)) continue;
    const words = [text(join(folder, "manufacturer")), text(join(folder, "product"))].filter(Boolean);
    return { ids: { vendorId, productId }, description: words.join(" ") || undefined };
  }
  return undefined;
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
