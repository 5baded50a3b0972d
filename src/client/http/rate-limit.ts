import { type Clock, sleep } from '#base/time/clock.ts'

/** How fast a client may ask: on average so many times per second, in bursts of more. */
export interface RateLimit {
  readonly qps: number
  readonly burst: number
}

/** Resolves when the next request may go out, in the order of the calls. */
export function rateLimiter(clock: Clock, { qps, burst }: RateLimit): (signal?: AbortSignal) => Promise<void> {
  let tokens = burst
  let atMs = clock.monotonic()
  return signal => {
    const now = clock.monotonic()
    tokens = Math.min(burst, tokens + ((now - atMs) / 1000) * qps)
    atMs = now
    // Tokens that are not there yet are owed: whoever comes next waits longer.
    tokens -= 1
    return tokens >= 0 ? Promise.resolve() : sleep(clock, (-tokens / qps) * 1000, signal)
  }
}
