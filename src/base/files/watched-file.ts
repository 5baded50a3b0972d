import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Clock, every, type Timer } from '../time/clock.ts'

/** Editors, and those who replace a mounted directory, write in several steps. */
const SETTLE_MS = 100
/** Not every file system tells of changes. */
const CHECK_MS = 60_000

/**
 * Calls back with the text of a file whenever it has changed, one call at a time; `text` is what is known of it. What cannot be read at the
 * moment, as a file that is just being replaced, is passed over until it can.
 */
export function watchedFile(path: string, text: string, clock: Clock, changed: (text: string) => Promise<void>): Disposable {
  let known = text
  let timer: Timer | undefined
  let running: Promise<void> = Promise.resolve()
  let isOver = false
  const check = () => {
    running = running.then(async () => {
      if (isOver) return
      const next = await readFile(path, 'utf8').catch(() => undefined)
      if (next === undefined || next === known || isOver) return
      known = next
      await changed(next)
    })
    return running
  }
  const soon = () => {
    timer?.cancel()
    timer = clock.after(SETTLE_MS, () => void check())
  }
  // The folder and not the file: a file that is replaced is another one.
  const watcher = startWatch(dirname(path), soon)
  const checks = every(clock, CHECK_MS, check)
  return {
    [Symbol.dispose]() {
      isOver = true
      timer?.cancel()
      watcher?.close()
      checks[Symbol.dispose]()
    },
  }
}

function startWatch(directory: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, changed)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
