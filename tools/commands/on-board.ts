// What the verbs share that ask a board something: its port is opened, it is told who it is, and it starts its app afterwards.

import type { Command } from "commander";
import { identityText, macText } from "../esptool/identity.js";
import { Session, type Board } from "../esptool/session.js";
import { baudRateOf, stubFor, withLoader } from "../node-flasher.js";
import type { Context, Options } from "../verb.js";

export interface OnBoard {
  readonly session: Session;
  readonly board: Board;
}

export interface BoardNeeds {
  /** Much goes over the line: worth another baud rate. */
  fast?: boolean;
}

export function addBoardOptions(command: Command): Command {
  return command.option("--no-stub", "use the chip's ROM alone, without loading Espressif's flasher stub");
}

/** The result of `work`, with `chip` and `mac` before it. @throws PortError, FlasherError, what `work` throws */
export async function onBoard(
  context: Context,
  options: Options,
  needs: BoardNeeds,
  work: (at: OnBoard) => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  return withLoader(context, async (loader) => {
    const session = new Session(loader, {
      ...(needs.fast && { baudRate: baudRateOf(context) }),
      ...(options.stub !== false && { stub: stubFor }),
      onNote: (text) => context.log(text),
    });
    const board = await session.open();
    context.log(identityText(board.identity));
    const result = await work({ session, board }).catch(async (error: { code?: unknown }) => {
      if (error.code === "verify-failed") await loader.runApp(); // the board itself is well: it need not stay in download mode
      throw error;
    });
    await loader.runApp();
    const { chip, mac } = board.identity;
    return { chip: chip.name, mac: macText(mac), ...result };
  });
}
