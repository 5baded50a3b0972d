import type { Compilation } from './program.ts'
import type { CelType } from './types.ts'

/** What an environment gains by {@link Environment.extend}. */
export interface Extension {
  /** Variables and their types. */
  readonly variables?: Readonly<Record<string, CelType>>
  /** Object types that expressions may construct by name; the types of variables need not be repeated. */
  readonly types?: readonly CelType[]
}

export interface CompileOptions {
  /** The types one of which the expression must have; a dynamic expression passes, and the result is checked by the caller. */
  readonly expects?: readonly CelType[]
}

/** Functions, types and variables that expressions may use. Immutable: to extend it makes another one. */
export interface Environment {
  extend(extension: Extension): Environment
  /** Parses, checks and compiles. Never throws on what a user wrote: that comes back as `issues`. */
  compile(expression: string, options?: CompileOptions): Compilation
}
