// What a verb of the `broome` command is: one file in commands/ exports one of these.

import type { Command } from "commander";

/** What every verb gets: where it runs, how it talks to the user, and what earlier verbs of a chain left. */
export interface Context {
  /** The folder that holds manifest.json. */
  readonly root: string;
  /** Ignored folder for what can be made again: engine, compiled tools, type-check state. */
  readonly cacheDir: string;
  readonly port: string | undefined;
  readonly baud: number | undefined;
  /** Admin URL of the server: --server or BROOME_SERVER. */
  readonly server: string | undefined;
  readonly json: boolean;
  /** True where a person sits at stderr: progress bars and colours make sense. */
  readonly tty: boolean;
  /** Aborted by Ctrl-C. Long work listens to it and leaves nothing half-written. */
  readonly signal: AbortSignal;
  /** Left by earlier verbs: `broome build patch flash`; `next` is the verb that follows. */
  readonly chain: { dir?: string; image?: string; chip?: string; next?: string };
  /** Human text, on stderr. */
  log(text: string): void;
  /** A line on stdout. */
  print(line: string): void;
  progress(label: string, total: number, unit?: "bytes" | "files" | "percent"): Progress;
}

export interface Progress {
  update(done: number): void;
  end(): void;
}

/** Options as commander hands them over; each verb reads its own. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Options = Record<string, any>;

export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Declares arguments and options. */
  configure(command: Command): void;
  /** Does it; resolves to the result fields of the --json line (without `ok`). */
  run(context: Context, args: string[], options: Options): Promise<Record<string, unknown>>;
}
