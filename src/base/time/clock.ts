/**
 * The time of day and the timers of a component. Every component takes one as a parameter, so that a whole cluster can run on virtual time.
 *
 * All times are milliseconds. Timers of a length beyond 2^31 ms (which Node would fire at once) are honoured.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump. */
  now(): number
  /** Milliseconds that never go back; only differences mean something. */
  monotonic(): number
  /** Calls `callback` once after `delayMs`. Dispose to cancel. */
  after(delayMs: number, callback: () => void): Timer
}

/** A timer that was started by {@link Clock.after}. */
export interface Timer extends Disposable {
  cancel(): void
}

/** Resolves after `delayMs` on `clock`; rejects with the signal's reason once `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    const abort = () => {
      timer.cancel()
      reject(signal!.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** Calls `callback` every `periodMs`, measured from the end of one call to the start of the next, until disposed. */
export function every(clock: Clock, periodMs: number, callback: () => void | Promise<void>): Disposable {
  let timer: Timer | undefined
  let ended = false
  const next = () => {
    timer = clock.after(periodMs, () => {
      void Promise.resolve(callback()).finally(() => {
        if (!ended) next()
      })
    })
  }
  next()
  return {
    [Symbol.dispose]() {
      ended = true
      timer?.cancel()
    },
  }
}
