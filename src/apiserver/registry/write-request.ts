import type { WriteOptions } from '#client/client.ts'
import type { Caller } from '#client/direct/api-handler.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'

/** What holds for every write, whoever sends it and in whatever form. */
export interface WriteRequest {
  readonly caller: Caller
  /** The kind that was asked for: a view, or the stored one. */
  readonly kind: AnyKind
  /** '' for cluster-wide kinds. */
  readonly namespace: string
  /** '' where the body names the object, or a name is to be generated. */
  readonly name: string
  /** '' for the object itself. */
  readonly subresource: string
  readonly dryRun: boolean
  /** Who is said to own the fields that are written: the `fieldManager` parameter, else the client program's name. */
  readonly fieldManager: string
  readonly fieldValidation: 'Strict' | 'Warn' | 'Ignore'
  /** The options as they were sent, without what is assumed where they say nothing. */
  readonly sent?: WriteOptions
}

/** The manager that fields are owned by: what the client says, else the first part of its user agent. */
export function fieldManagerOf(named: string | undefined, userAgent: string | undefined): string {
  if (named) return named
  const agent = (userAgent ?? '').split('/', 1)[0]!
  let manager = ''
  for (const char of agent) {
    if (manager.length >= 128) break
    if (PRINTABLE.test(char)) manager += char
  }
  return manager
}

const PRINTABLE = /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u
