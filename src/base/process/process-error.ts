/** How a program that was run ended, when it did not end well. */
export interface ProcessFailure {
  readonly command: string
  readonly args: readonly string[]
  /** Exit code; absent when a signal ended it or it could not be started. */
  readonly code?: number | undefined
  readonly signal?: string | undefined
  readonly stdout: string
  readonly stderr: string
  /** Why, when the program itself could not tell: `timeout`, `aborted`, `absent` (no such program), `unstartable`. */
  readonly reason?: 'timeout' | 'aborted' | 'absent' | 'unstartable' | undefined
}

/** A program failed. The message holds the command, how it ended and the last lines it wrote to stderr. */
export class ProcessError extends Error {
  readonly failure: ProcessFailure

  constructor(failure: ProcessFailure, options?: ErrorOptions) {
    super(describe(failure), options)
    this.name = 'ProcessError'
    this.failure = failure
  }

  /** True when the program's own words (stderr or stdout) contain `text`. */
  says(text: string): boolean {
    return this.failure.stderr.includes(text) || this.failure.stdout.includes(text)
  }
}

/** `text` as one harmless line: no control characters, no escape sequences, at most `limit` characters of its end. */
export function oneLine(text: string, limit = 400): string {
  const lines = text.split(/[\r\n]+/).map(line =>
    line
      .replace(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, '')
      .replace(/\p{Cc}/gu, ' ')
      .trim(),
  )
  const line = lines.filter(part => part !== '').join('; ')
  return line.length > limit ? `…${line.slice(-limit)}` : line
}

function describe(failure: ProcessFailure): string {
  const shown = oneLine([failure.command, ...failure.args].join(' '), 200)
  if (failure.reason === 'absent') return `cannot run "${failure.command}": there is no such program on this machine`
  const words = oneLine(failure.stderr) || oneLine(failure.stdout)
  return `"${shown}" ${ending(failure)}${words ? `: ${words}` : ''}`
}

function ending(failure: ProcessFailure): string {
  if (failure.reason === 'timeout') return 'took too long and was ended'
  if (failure.reason === 'aborted') return 'was ended because the work was called off'
  if (failure.reason === 'unstartable') return 'could not be started'
  return failure.signal ? `was ended by ${failure.signal}` : `failed with exit code ${failure.code}`
}
