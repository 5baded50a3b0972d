import { watch } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '#base/time/clock.ts'
import { type LogLine, parseLogLine } from './log-line.ts'

/** Which part of a container's log is wanted, as `kubectl logs` asks for it. */
export interface LogQuery {
  readonly tailLines?: number | undefined
  readonly sinceMs?: number | undefined
  readonly timestamps?: boolean
  readonly limitBytes?: number | undefined
  readonly follow?: boolean
  /** Only one of the two outputs. */
  readonly stream?: 'stdout' | 'stderr' | undefined
}

export interface LogContext {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whether more may come. */
  isRunning(): boolean
}

const CHUNK = 64 * 1024
const POLL_MS = 1000

/** The text of a log file, piece by piece. With `follow` it goes on, over rotations, until the container has ended or `signal` aborts. */
export async function* readLog(path: string, query: LogQuery, context: LogContext): AsyncGenerator<Buffer> {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY
  for await (const line of lines(path, query, context)) {
    if (query.stream !== undefined && line.stream !== query.stream) continue
    if (query.sinceMs !== undefined && Date.parse(line.time) < query.sinceMs) continue
    const text = Buffer.from(`${query.timestamps ? `${line.time} ` : ''}${line.text}${line.partial ? '' : '\n'}`)
    yield text.length <= left ? text : text.subarray(0, left)
    left -= text.length
    if (left <= 0) return
  }
}

async function* lines(path: string, query: LogQuery, context: LogContext): AsyncGenerator<LogLine> {
  let file = await open(path)
  const bell = query.follow ? watchFor(dirname(path), context) : undefined
  try {
    let offset = query.tailLines === undefined ? 0 : await tailOffset(file, query.tailLines)
    let rest = ''
    const buffer = Buffer.alloc(CHUNK)
    while (!context.signal.aborted) {
      const wasRunning = context.isRunning()
      const { bytesRead } = await file.read(buffer, 0, CHUNK, offset)
      if (bytesRead > 0) {
        offset += bytesRead
        const parts = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n')
        rest = parts.pop()!
        for (const part of parts) {
          const line = parseLogLine(Buffer.from(part, 'latin1').toString('utf8'))
          if (line) yield line
        }
        continue
      }
      if (await wasRotated(path, file)) {
        await file.close()
        file = await open(path)
        offset = 0
        continue
      }
      if (!bell || !wasRunning) return
      await bell.ring()
    }
  } finally {
    bell?.[Symbol.dispose]()
    await file.close()
  }
}

async function wasRotated(path: string, file: FileHandle): Promise<boolean> {
  const now = await stat(path).catch(() => undefined)
  return now !== undefined && now.ino !== (await file.stat()).ino
}

/** Where the last `count` lines begin. */
async function tailOffset(file: FileHandle, count: number): Promise<number> {
  let end = (await file.stat()).size
  if (count <= 0) return end
  let found = -1 // The newline at the very end ends the last line.
  const buffer = Buffer.alloc(CHUNK)
  while (end > 0) {
    const start = Math.max(0, end - CHUNK)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let index = bytesRead - 1; index >= 0; index--) {
      if (buffer[index] === 10 && ++found === count) return start + index + 1
    }
    end = start
  }
  return 0
}

/** Rings when something in a directory changes, and every second for what notifications miss. */
function watchFor(directory: string, { clock, signal }: LogContext): Disposable & { ring(): Promise<void> } {
  let wake = () => {}
  let rung = false
  const ring = () => {
    rung = true
    wake()
  }
  const watcher = watch(directory, ring)
  watcher.on('error', () => watcher.close())
  signal.addEventListener('abort', ring, { once: true })
  return {
    async ring() {
      if (!rung) {
        const timer = clock.after(POLL_MS, ring)
        await new Promise<void>(resolve => {
          wake = resolve
          if (rung) resolve()
        })
        timer.cancel()
      }
      rung = false
    },
    [Symbol.dispose]() {
      watcher.close()
      signal.removeEventListener('abort', ring)
    },
  }
}
