/** Fields beside a constant message; keys are named after what they hold (`pod`, `node`, `durationMs`). Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Where a component says what it does: a constant message plus fields, once, where the matter is handled.
 * `verbose` is for what only a developer asks for (`--v=4`).
 */
export interface Logger {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  verbose(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to each of its lines. */
  with(fields: LogFields): Logger
}

/** Says nothing: for tests that do not look at logs. */
export const silentLogger: Logger = {
  info() {},
  warn() {},
  error() {},
  verbose() {},
  with: () => silentLogger,
}
