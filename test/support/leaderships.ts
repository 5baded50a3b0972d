import { readFileSync } from 'node:fs'

/** A time in which a server took itself for the leader. */
export interface Leadership {
  readonly server: string
  readonly lease: string
  readonly fromMs: number
  /** Infinity if it leads still. */
  readonly untilMs: number
}

/**
 * What a server's log says of its leaderships: from `leading` to `the lead was lost` or `no longer leading`, whichever came first. One whose
 * process was killed ended then.
 */
export function leadershipsIn(server: string, logFile: string, killedAtMs: readonly number[]): Leadership[] {
  const found: Leadership[] = []
  const open = new Map<string, number>()
  const end = (lease: string, untilMs: number) => {
    const fromMs = open.get(lease)
    if (fromMs !== undefined) found.push({ server, lease, fromMs, untilMs })
    open.delete(lease)
  }
  for (const line of readFileSync(logFile, 'utf8').split('\n')) {
    const match = / "(leading|the lead was lost|no longer leading)".* lease="([\w-]+)"/.exec(line)
    if (!match) continue
    const [, what, lease] = match
    const atMs = loggedAtMs(line)
    for (const [name, fromMs] of open) {
      const killed = killedAtMs.find(one => one > fromMs && one < atMs)
      if (killed !== undefined) end(name, killed)
    }
    if (what === 'leading') open.set(lease!, atMs)
    else end(lease!, atMs)
  }
  for (const [lease, fromMs] of [...open]) end(lease, killedAtMs.find(one => one > fromMs) ?? Number.POSITIVE_INFINITY)
  return found
}

/** When a line of klog was written, in milliseconds since the epoch. */
export function loggedAtMs(line: string): number {
  const [, month, day, time] = /^[IEW](\d\d)(\d\d) (\d\d:\d\d:\d\d\.\d{3})/.exec(line) ?? []
  return Date.parse(`${new Date().getUTCFullYear()}-${month}-${day}T${time}Z`)
}

/** Pairs of leaderships of one lease that were at the same time, as sentences. */
export function overlaps(all: readonly Leadership[]): string[] {
  const sorted = [...all].sort((one, other) => one.fromMs - other.fromMs)
  return sorted.flatMap((one, index) =>
    sorted
      .slice(index + 1)
      .filter(other => other.lease === one.lease && other.server !== one.server && other.fromMs < one.untilMs)
      .map(
        other => `${one.server} and ${other.server} both held ${one.lease} for ${Math.min(one.untilMs, other.untilMs) - other.fromMs} ms`,
      ),
  )
}
