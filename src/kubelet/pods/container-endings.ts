import { rm } from 'node:fs/promises'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { annotation } from './container-labels.ts'
import { containerLogFile, terminationLogFile } from './pod-directories.ts'
import type { PodHost } from './pod-host.ts'
import { uidOf } from './pod-names.ts'
import type { PodState } from './pod-state.ts'
import { readTerminationMessage } from './termination-message.ts'

type Containers = PodState['containers']

/** So many of each name are kept for their logs. */
const KEPT = 2

/** What the ended containers of one pod leave behind: a last word, and logs. */
export class ContainerEndings {
  readonly #host: PodHost
  readonly #messages = new Map<string, string>()

  constructor(host: PodHost) {
    this.#host = host
  }

  /** Termination messages, by the ids of containers. */
  get messages(): ReadonlyMap<string, string> {
    return this.#messages
  }

  /** Reads the last words of those that have ended since. */
  async read(pod: Pod, containers: Containers): Promise<void> {
    for (const { id, state, name, attempt, annotations, exitCode } of containers) {
      if (state !== 'exited' || this.#messages.has(id)) continue
      const { message, log } = this.#files(pod, name, attempt)
      const fallback = annotations[annotation.terminationMessagePolicy] === 'FallbackToLogsOnError' && exitCode !== 0
      this.#messages.set(id, await readTerminationMessage(message, log, fallback))
    }
  }

  /** Removes those that have ended, and their logs, but for the last two of each name. */
  async clear(pod: Pod, containers: Containers): Promise<void> {
    const seen = new Map<string, number>()
    for (const { name, id, state, attempt } of containers) {
      const newer = seen.get(name) ?? 0
      seen.set(name, newer + 1)
      if (newer < KEPT || state === 'running') continue
      await this.#host.runtime.removeContainer(id)
      const { message, log } = this.#files(pod, name, attempt)
      await rm(log, { force: true })
      await rm(message, { force: true })
      this.#messages.delete(id)
    }
  }

  #files(pod: Pod, name: string, attempt: number): { readonly message: string; readonly log: string } {
    const { volumes, logsDirectory } = this.#host
    return {
      message: terminationLogFile(volumes.podDirectory(uidOf(pod)), name, attempt),
      log: containerLogFile(logsDirectory, pod, name, attempt),
    }
  }
}
