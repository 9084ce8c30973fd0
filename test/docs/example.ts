// What an example of SPEC.md is: its text made by the code, or a check that the code takes it, or both.

export interface Example {
  /** The block's text, from fixed inputs. Absent where the text is a person's, as a world file's is. */
  make?(): string | Promise<string>;
  /** Throws where the code does not read SPEC.md's text as SPEC.md says. */
  check?(text: string): void | Promise<void>;
}

export type Examples = Readonly<Record<string, Example>>;
