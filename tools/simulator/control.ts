// The control socket of a virtual board: what hands would do to a real one, as JSON lines over a Unix socket.

import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { z } from "zod";
import { BroomeError } from "../error.js";
import type { Board } from "./board.js";
import { runtimePath } from "./runtime-folder.js";

const MAX_LINE = 4096; // bytes
const REPLY_TIMEOUT_MS = 5000;

const request = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("status") }),
  z.strictObject({ op: z.literal("reset") }),
  z.strictObject({ op: z.literal("download") }),
  z.strictObject({ op: z.literal("power-cut"), at: z.int().min(1).optional() }),
  z.strictObject({ op: z.literal("gpio"), pin: z.int().min(0).max(48), high: z.boolean() }),
]);

/** What can be asked of a board. */
export type ControlRequest = z.infer<typeof request>;

export interface ControlServer {
  readonly path: string;
  close(): Promise<void>;
}

/** Listens for one board; the socket lies in a folder that only its owner can enter. */
export function serveControl(board: Board): Promise<ControlServer> {
  const path = runtimePath(".sock");
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    onLines(socket, (line) => socket.write(`${JSON.stringify(answer(board, line))}\n`));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () =>
      resolve({
        path,
        async close() {
          for (const socket of sockets) socket.destroy();
          await new Promise((done) => server.close(done));
          rmSync(path, { force: true });
        },
      }),
    );
  });
}

/**
 * Asks a board.
 *
 * @returns the answer's fields
 * @throws BroomeError `board-not-found`, or what the board answered
 */
export function askBoard(path: string, question: ControlRequest): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${JSON.stringify(question)}\n`));
    const fail = (why: string) => {
      socket.destroy();
      reject(
        new BroomeError(
          "board-not-found",
          `no board answers at ${path}: ${why}`,
          "Give the path that `broome sim` printed as `control`, while it runs.",
        ),
      );
    };
    socket.setTimeout(REPLY_TIMEOUT_MS, () => fail("it says nothing"));
    socket.on("error", (error) => fail(error.message));
    onLines(socket, (line) => {
      socket.destroy();
      const { ok, ...fields } = JSON.parse(line) as { ok: boolean } & Record<string, unknown>;
      if (ok) return resolve(fields);
      const { code, message, help } = fields as Record<"code" | "message" | "help", string>;
      reject(new BroomeError(code, message, help));
    });
  });
}

function answer(board: Board, line: string): Record<string, unknown> {
  try {
    const question = request.parse(JSON.parse(line));
    obey(board, question);
    return { ok: true, ...board.status() };
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    return { ok: false, code: "usage", message, help: "See: broome sim --help" };
  }
}

function obey(board: Board, question: ControlRequest): void {
  switch (question.op) {
    case "status":
      return;
    case "reset":
      return board.reset();
    case "download":
      return board.download();
    case "power-cut":
      return board.cutPower(question.at);
    case "gpio":
      return board.setPin(question.pin, question.high);
  }
}

function onLines(socket: Socket, onLine: (line: string) => void): void {
  let rest = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(onLine);
    if (rest.length > MAX_LINE) socket.destroy();
  });
}
