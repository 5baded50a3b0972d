import { setTimeout as delay } from 'node:timers/promises'

/** Waits until something holds; says what it was if it never does. What throws does not hold yet. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, deadlineMs = 60_000): Promise<void> {
  const startMs = performance.now()
  let last: unknown
  for (;;) {
    try {
      if (await holds()) return
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() - startMs > deadlineMs)
      throw new Error(`after ${deadlineMs / 1000} s it still does not hold: ${what}`, { cause: last })
    await delay(100)
  }
}
