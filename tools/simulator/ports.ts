// The ports by which a virtual board's serial line is reached: RFC 2217 with modem lines, plain TCP, and a pty.

import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { BroomeError } from "../error.js";
import { BUSY_NOTICE } from "../serial/com-port.js";
import { sendOrDrop } from "./backlog.js";
import { openPty, type Pty } from "./pty.js";
import { Rfc2217Session } from "./rfc2217-server.js";
import { UartLine, type Client, type Uart } from "./uart.js";

const GRACE_MS = 20;
const GRACE_STEP_MS = 4;

export interface PortOptions {
  /** The C helper that holds a pty; without it there is none. */
  ptyHelper?: string;
  host?: string;
  /** TCP port of RFC 2217; default: a free one. */
  port?: number;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Ports {
  readonly uart: Uart;
  /** `rfc2217://127.0.0.1:N` */
  readonly rfc2217: string;
  /** `socket://127.0.0.1:N` */
  readonly tcp: string;
  /** `/dev/pts/N` */
  readonly pty?: string;
  close(): Promise<void>;
}

/**
 * Opens all ports of one board. One client at a time over all of them; a second is told so and hung up on.
 *
 * @throws BroomeError `port-busy`
 */
export async function openPorts(options: PortOptions = {}): Promise<Ports> {
  const uart = new UartLine();
  const host = options.host ?? "127.0.0.1";
  const sockets = new Set<Socket>();
  const place = { host, port: options.port ?? 0 };
  const rfc2217 = await listen(place, uart, sockets, (socket) => new Rfc2217Session(socket, uart));
  const tcp = await listen({ host, port: 0 }, uart, sockets, (socket) => new TcpSession(socket, uart));
  let pty: Pty | undefined;
  try {
    if (options.ptyHelper !== undefined) pty = await openPty(options.ptyHelper, uart);
  } catch (error) {
    rfc2217.close();
    tcp.close();
    throw error;
  }
  return {
    uart,
    rfc2217: `rfc2217://${address(rfc2217)}`,
    tcp: `socket://${address(tcp)}`,
    ...(pty && { pty: pty.path }),
    async close() {
      pty?.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([rfc2217, tcp].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

interface Session extends Client {
  start(): void;
}

/** Plain TCP: the bytes and nothing else. */
class TcpSession implements Session {
  readonly hasBaudRate = false;
  private readonly socket: Socket;
  private readonly uart: UartLine;

  constructor(socket: Socket, uart: UartLine) {
    this.socket = socket;
    this.uart = uart;
  }

  start(): void {
    this.socket.on("data", (bytes: Buffer) => this.uart.receive(this, new Uint8Array(bytes)));
  }

  send(bytes: Uint8Array): void {
    sendOrDrop(this.socket, bytes);
  }
}

function listen(
  place: Place,
  uart: UartLine,
  sockets: Set<Socket>,
  makeSession: (socket: Socket) => Session,
): Promise<Server> {
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined); // followed by close
    const session = makeSession(socket);
    const leave = () => {
      sockets.delete(socket);
      uart.detach(session);
    };
    socket.once("end", leave); // a client that has closed its port may open it again at once
    socket.once("close", leave);
    void admit(uart, session, socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(unusable(place, cause)));
    server.listen(place.port, place.host, () => resolve(server));
  });
}

function unusable({ host, port }: Place, cause: Error): BroomeError {
  const message = `port ${port} of ${host} cannot be had: ${cause.message}`;
  return new BroomeError("port-busy", message, "Choose another with -p, or none: a free one is taken then.", {
    cause,
  });
}

/** A client that left a moment ago may not be gone here yet: another one that comes right behind it waits for that. */
async function admit(uart: UartLine, session: Session, socket: Socket): Promise<void> {
  const end = Date.now() + GRACE_MS;
  while (!uart.attach(session)) {
    if (Date.now() > end || socket.destroyed) return void socket.end(BUSY_NOTICE, () => socket.destroySoon());
    await new Promise((resolve) => setTimeout(resolve, GRACE_STEP_MS));
  }
  if (socket.destroyed) uart.detach(session);
  else session.start();
}

function address(server: Server): string {
  const { address: host, port } = server.address() as AddressInfo;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
