import { styleText } from 'node:util'
import type { Clock } from '#base/time/clock.ts'
import type { Progress } from './progress.ts'

/** A terminal or a pipe that progress is written to. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/**
 * Progress for people. On a terminal the running step's line is rewritten in place and gets its tick and duration when it ends; into a pipe
 * each step is one plain line when it has ended.
 */
export function textProgress(stream: ProgressStream, clock: Clock): Progress {
  const live = stream.isTTY === true
  const colour = (format: Parameters<typeof styleText>[0], text: string) => (live ? styleText(format, text) : text)
  let running: { title: string; note: string }[] = []

  const clear = () => live && running.length > 0 && stream.write('\r\u001b[2K')
  const paint = () => {
    const current = running.at(-1)
    if (!live || !current) return
    const line = `  … ${current.title}${current.note ? ` (${current.note})` : ''}`
    stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`)
  }
  const say = (line: string) => {
    clear()
    stream.write(`${line}\n`)
    paint()
  }

  return {
    async step(title, work) {
      const started = clock.monotonic()
      const entry = { title, note: '' }
      running.push(entry)
      paint()
      const end = (mark: string) => {
        clear()
        running = running.filter(other => other !== entry)
        const note = entry.note ? `: ${entry.note}` : ''
        say(`  ${mark} ${title}${note} ${colour('dim', `(${duration(clock.monotonic() - started)})`)}`)
      }
      try {
        const result = await work(text => {
          entry.note = text
          paint()
        })
        end(colour('green', '✓'))
        return result
      } catch (error) {
        end(colour('red', '✗'))
        throw error
      }
    },
    info: text => say(`  ${text}`),
    warn: text => say(`  ${colour('yellow', '!')} ${text}`),
  }
}

/** Progress for programs: one JSON object a line, `{"step","event","durationMs","note"}`. */
export function jsonProgress(stream: ProgressStream, clock: Clock): Progress {
  const write = (fields: Record<string, unknown>) => stream.write(`${JSON.stringify(fields)}\n`)
  return {
    async step(title, work) {
      const started = clock.monotonic()
      let note: string | undefined
      write({ event: 'started', step: title })
      const end = (event: string, more: Record<string, unknown> = {}) =>
        write({ event, step: title, durationMs: Math.round(clock.monotonic() - started), ...(note && { note }), ...more })
      try {
        const result = await work(text => {
          note = text
        })
        end('done')
        return result
      } catch (error) {
        end('failed', { error: error instanceof Error ? error.message : String(error) })
        throw error
      }
    },
    info: text => write({ event: 'info', text }),
    warn: text => write({ event: 'warning', text }),
  }
}

/** `850 ms`, `3.2 s`, `2 min 5 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
