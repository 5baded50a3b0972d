import { writeFileSync } from 'node:fs'
import type { Logger } from '#base/log/logger.ts'

/** Tells the kernel how willingly to kill this process when memory runs out (-1000 … 1000), as far as this user may. */
export function beKilledLast(score: number, log: Logger): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(score))
  } catch (error) {
    log.verbose('the kernel was not told how willingly to kill this process', { score, error })
  }
}
