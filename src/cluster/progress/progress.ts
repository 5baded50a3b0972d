/** Where a verb tells what it does while it does it. */
export interface Progress {
  /** Runs one step under a title and shows how long it took; `note` says what happens inside or what came out. */
  step<Result>(title: string, work: (note: (text: string) => void) => Promise<Result>): Promise<Result>
  /** A fact worth a line of its own. */
  info(text: string): void
  /** Something the user should know but that does not stop the work. */
  warn(text: string): void
}

/** Says nothing: for tests. */
export const silentProgress: Progress = {
  step: (_title, work) => work(() => {}),
  info() {},
  warn() {},
}
