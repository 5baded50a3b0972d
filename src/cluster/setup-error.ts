/**
 * Something about the surroundings that the user can mend. The message is one sentence: what is wrong, then what to do.
 * The command line prints it without a stack.
 */
export class SetupError extends Error {
  readonly what: string
  readonly remedy: string

  constructor(what: string, remedy: string, options?: ErrorOptions) {
    super(`${what}: ${remedy}`, options)
    this.name = 'SetupError'
    this.what = what
    this.remedy = remedy
  }
}
