// How `broome doctor` looks at a computer: programs, files, ports. Handed in, so that checks run on recorded answers.

import type { ListedPort } from "../serial/list.js";

export interface Output {
  /** Exit code; null where it was ended by a signal or by the time limit. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who runs the command, as the kernel sees it. */
export interface User {
  readonly name: string;
  readonly uid: number;
  /** Groups of this session: a group that was added later shows after the next login. */
  readonly groups: readonly number[];
}

export interface Probes {
  readonly platform: string; // process.platform
  readonly nodeVersion: string; // "20.20.1"
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Version of the project's own TypeScript; undefined where it is not installed. */
  readonly typescript: string | undefined;
  readonly user: User;
  /** Runs a program, at most 10 s; undefined where there is none of that name. */
  run(command: string, args: readonly string[], input?: string): Promise<Output | undefined>;
  /** A text file; undefined where it cannot be read. */
  read(path: string): string | undefined;
  /** Names in a folder; empty where there is none. */
  list(path: string): readonly string[];
  exists(path: string): boolean;
  /** Device files: whether this user may read and write, and the group that may. Undefined where there is no such file. */
  access(path: string): { readonly allowed: boolean; readonly gid: number } | undefined;
  ports(): Promise<readonly ListedPort[]>;
}
