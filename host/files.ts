// Release files, named by their SHA-256: written whole or not at all, never changed, safe to cache for ever.

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

export type FileKind = "bin" | "list" | "jws";

export class Files {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  path(sha256: string, kind: FileKind): string {
    return join(this.#folder, `${sha256}.${kind}`);
  }

  /** Bytes of the file, or undefined where it is not there. */
  async size(sha256: string, kind: FileKind): Promise<number | undefined> {
    try {
      return (await stat(this.path(sha256, kind))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** Stores the bytes, on disk before it resolves; returns their SHA-256 as hex. */
  async put(bytes: Uint8Array, kind: FileKind): Promise<string> {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const path = this.path(sha256, kind);
    const temporary = `${path}.${randomBytes(6).toString("hex")}`;
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
      await file.close();
      await rename(temporary, path);
    } catch (error) {
      await file.close().catch(() => {});
      await unlink(temporary).catch(() => {});
      throw error;
    }
    return sha256;
  }
}
