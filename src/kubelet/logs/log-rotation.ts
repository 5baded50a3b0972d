import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { containerLogFile } from '../pods/pod-directories.ts'
import { isRunning } from '../pods/pod-state.ts'
import type { PodWorker } from '../pods/pod-worker.ts'
import type { Runtime } from '../runtime/runtime.ts'

export interface RotationContext {
  readonly runtime: Runtime
  readonly logsDirectory: string
  readonly workers: readonly Pick<PodWorker, 'pod' | 'state'>[]
  readonly maxBytes: number
  readonly maxFiles: number
  readonly now: number
}

/** Renames log files that have grown too long, makes the runtime open them anew, and keeps only the newest of each container. */
export async function rotateLogs(context: RotationContext): Promise<void> {
  for (const { pod, state } of context.workers) {
    for (const container of state.containers.filter(isRunning)) {
      const path = containerLogFile(context.logsDirectory, pod, container.name, container.attempt)
      const size = await stat(path).then(
        found => found.size,
        () => 0,
      )
      if (size >= context.maxBytes) await rotate(context, path, container.id)
    }
  }
}

async function rotate({ runtime, maxFiles, now }: RotationContext, path: string, containerId: string): Promise<void> {
  const stamp = new Date(now).toISOString().slice(0, 19).replace(/[-T:]/g, '')
  const rotated = `${path}.${stamp.slice(0, 8)}-${stamp.slice(8)}`
  await rename(path, rotated)
  try {
    await runtime.reopenLog(containerId)
  } catch (error) {
    await rename(rotated, path)
    throw error
  }
  const older = (await readdir(dirname(path))).filter(name => name.startsWith(`${basename(path)}.`)).sort()
  for (const name of older.slice(0, Math.max(0, older.length - (maxFiles - 1)))) await rm(join(dirname(path), name), { force: true })
}
