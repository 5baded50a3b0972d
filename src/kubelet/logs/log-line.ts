/** A line of a container's log file as CRI runtimes write it: `2026-01-31T12:00:00.123456789Z stdout F text`. */
export interface LogLine {
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** The line goes on in the next one. */
  readonly partial: boolean
  readonly text: string
}

export function parseLogLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([FP])(?::\S*)? (.*)$/s.exec(line)
  return match ? { time: match[1]!, stream: match[2] as 'stdout' | 'stderr', partial: match[3] === 'P', text: match[4]! } : undefined
}
