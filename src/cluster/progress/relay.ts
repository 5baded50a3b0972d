import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Progress } from './progress.ts'

/** One line of the progress that `jsonProgress` writes. */
interface ProgressLine {
  readonly event: 'started' | 'done' | 'failed' | 'info' | 'warning' | 'ready'
  readonly step?: string
  readonly note?: string
  readonly text?: string
  readonly error?: string
}

/**
 * Shows another process's progress (the lines of `jsonProgress`) as one's own. Resolves with true at its line `{"event":"ready"}`, and with
 * false when the stream ends without it.
 */
export async function relayProgress(lines: Readable, progress: Progress): Promise<boolean> {
  const running = new Map<string, { note(text: string): void; end(error?: string): void }>()
  const shown: Promise<unknown>[] = []
  const start = (title: string) => {
    const step = progress.step(title, note => {
      return new Promise<void>((resolve, reject) => {
        running.set(title, { note, end: error => (error === undefined ? resolve() : reject(new Error(error))) })
      })
    })
    shown.push(step.catch(() => {})) // its failure is told by the process itself, which ends
  }
  let ready = false
  for await (const line of createInterface({ input: lines })) {
    const event = parse(line)
    if (!event) continue
    if (event.event === 'ready') {
      ready = true
      break
    }
    if (event.event === 'info') progress.info(event.text ?? '')
    else if (event.event === 'warning') progress.warn(event.text ?? '')
    else if (event.event === 'started') start(event.step ?? '')
    else {
      const step = running.get(event.step ?? '')
      if (event.note) step?.note(event.note)
      step?.end(event.event === 'failed' ? (event.error ?? 'failed') : undefined)
      running.delete(event.step ?? '')
    }
  }
  for (const step of running.values()) step.end(ready ? undefined : 'it ended')
  await Promise.all(shown)
  return ready
}

function parse(line: string): ProgressLine | undefined {
  try {
    return JSON.parse(line) as ProgressLine
  } catch {
    return undefined
  }
}
