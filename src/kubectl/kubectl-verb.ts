import { Command } from 'commander'
import type { HttpClient } from '#client/http/http-client.ts'

/** What a verb that speaks with a cluster gets from the program around it. */
export interface KubectlContext {
  readonly signal: AbortSignal
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  /** Connects as the flags say, and finds the namespace that is meant. */
  connect(flags: ClientFlags): Promise<{ readonly client: HttpClient; readonly namespace: string }>
  /** Shows what differs between two texts as `diff -u` does; true if anything does. */
  compare(before: NamedText, after: NamedText): Promise<boolean>
  /** Something differs: the program ends with 1. */
  differs(): void
}

export interface NamedText {
  readonly name: string
  readonly text: string
}

/** One such verb: makes its command, whose action loads what it needs. */
export type KubectlVerb = (context: KubectlContext) => Command

/** Flags by which such verbs find their cluster. */
export interface ClientFlags {
  readonly kubeconfig?: string
  readonly context?: string
  /** A cluster of this machine. */
  readonly name?: string
  readonly namespace?: string
}

/** Flags that say of when. */
export interface MomentFlags {
  readonly at?: string
  readonly atRevision?: string
}

export function verbCommand(name: string): Command {
  return new Command(name)
    .option('--kubeconfig <file>', 'how to reach the cluster (default: $KUBECONFIG, else the cluster of this machine)')
    .option('--context <name>', 'which context of it')
    .option('--name <name>', 'a cluster of this machine')
    .option('-n, --namespace <namespace>', 'the namespace (default: that of the context)')
}

export function withMomentFlags(command: Command): Command {
  return command
    .option('--at <moment>', 'as it was then: so long ago (-2m), or a time (2026-01-02T15:04:05Z), as far as history is kept')
    .option('--at-revision <revision>', 'as it was at a resourceVersion')
}

/** The moment that the flags name; undefined is now. */
export function momentOf({ at, atRevision }: MomentFlags): string | undefined {
  if (at !== undefined && atRevision !== undefined) throw new UsageError('--at and --at-revision both say of when: give one of them')
  if (atRevision !== undefined && !/^\d+$/.test(atRevision))
    throw new UsageError(`--at-revision takes a resourceVersion, and "${atRevision}" is none`)
  return atRevision ?? at
}

/** What the user typed makes no sense, or names what is not there. The message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
