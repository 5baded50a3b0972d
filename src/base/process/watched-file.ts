import { readFileSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Clock, Timer } from '../time/clock.ts'

/** How long a file has to be left alone before it is read: whoever writes it may need several steps. */
const SETTLE_MS = 200

/**
 * Calls back with the text of a file each time it has become another one: written in place, renamed over, or exchanged behind a link, as the
 * kubelet does with mounted Secrets. A file that is not there, or cannot be read, is waited for. Dispose to end it.
 */
export function watchFile(path: string, clock: Clock, changed: (text: string) => void): Disposable {
  let known = readIfThere(path)
  let timer: Timer | undefined
  const look = () => {
    const text = readIfThere(path)
    if (text === undefined || text === known) return
    known = text
    changed(text)
  }
  const directory = dirname(path)
  const name = basename(path)
  const watcher = watch(directory, { persistent: false }, (_event, file) => {
    // A link's target changes under other names (`..data`).
    if (file !== null && file !== name && !file.startsWith('..')) return
    timer?.cancel()
    timer = clock.after(SETTLE_MS, look)
  })
  watcher.on('error', () => undefined) // the directory has gone: what was read stays
  return {
    [Symbol.dispose]() {
      timer?.cancel()
      watcher.close()
    },
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
