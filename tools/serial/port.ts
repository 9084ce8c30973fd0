// The serial seam: what a flasher, a monitor or a setup dialog needs of a port. Implemented over serialport, TCP and RFC 2217.

/** DTR and RTS as the driver understands them: true = asserted (the line is low on a typical ESP board). */
export interface ControlLines {
  dtr?: boolean;
  rts?: boolean;
}

/**
 * An open byte pipe to a board. Bytes that arrive before `listen` are kept, at most 64 KiB, then the port closes with an error.
 * Use after `close` throws `port-closed`, use after a loss `port-lost`; `close` may be called twice.
 */
export interface SerialPort {
  /** What the user gave: a path or a URL. */
  readonly name: string;
  /** False where the port has no modem lines (a pty, plain TCP): setLines then throws `no-modem-lines`. */
  readonly hasLines: boolean;
  /** False where the far end alone decides the rate (plain TCP): setBaudRate then throws `baud-rate-fixed`. */
  readonly hasBaudRate: boolean;
  readonly baudRate: number;
  /** Ids of the USB adapter, where there is one and the system tells. */
  readonly usb?: { readonly vendorId: number; readonly productId: number };
  /** Resolves when the bytes have left for the driver or the network. They must not be changed until then. */
  write(bytes: Uint8Array): Promise<void>;
  /** One listener at a time; undefined takes it away. */
  listen(onBytes: ((bytes: Uint8Array) => void) | undefined): void;
  /** Called once, when the port is gone without having been closed by us. */
  onLost(callback: (error: Error) => void): void;
  setLines(lines: ControlLines): Promise<void>;
  setBaudRate(baud: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a port by name: `/dev/ttyUSB0`, `COM3`, `socket://host:port`, `rfc2217://host:port`. */
export type OpenPort = (name: string, options: { baudRate: number }) => Promise<SerialPort>;
