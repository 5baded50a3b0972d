import './dispose.ts'
import type { Clock, Timer } from './clock.ts'

/** Node fires a timer of more than this at once; longer ones are waited for in parts. */
const TIMER_LIMIT_MS = 2 ** 31 - 1

/** The machine's own time. Its timers do not keep the process alive unless `keepAlive` is set. */
export function realClock(options: { keepAlive?: boolean } = {}): Clock {
  const keepAlive = options.keepAlive ?? true
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after: (delayMs, callback) => startTimer(delayMs, callback, keepAlive),
  }
}

function startTimer(delayMs: number, callback: () => void, keepAlive: boolean): Timer {
  let handle: NodeJS.Timeout
  let remaining = Math.max(0, delayMs)
  const step = () => {
    const part = Math.min(remaining, TIMER_LIMIT_MS)
    remaining -= part
    handle = setTimeout(() => (remaining > 0 ? step() : callback()), part)
    if (!keepAlive) handle.unref()
  }
  step()
  const cancel = () => clearTimeout(handle)
  return { cancel, [Symbol.dispose]: cancel }
}
