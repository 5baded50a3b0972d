import { durationMs } from '#machinery/duration/duration.ts'

/** When a schedule in Cron's notation fires. */
export interface CronTimes {
  /** The first moment after `afterMs`; undefined if there is none within five years. */
  next(afterMs: number): number | undefined
}

/** Reads a schedule that was validated. `timeZone` is an IANA name; absent means UTC. Throws where either is unknown. */
export function cronTimes(schedule: string, timeZone = 'UTC'): CronTimes {
  const prefixed = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(schedule)
  if (prefixed) return cronTimes(prefixed[2]!, prefixed[1]!)
  const every = /^@every\s+(.+)$/.exec(schedule)
  if (every) return everyTimes(durationMs(every[1]!))
  const fields = parseFields(DESCRIPTORS[schedule] ?? schedule)
  const offsetAt = zoneOffsets(timeZone)
  return { next: afterMs => nextTime(fields, offsetAt, afterMs) }
}

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const HORIZON_DAYS = 5 * 366

interface Fields {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: ReadonlySet<number>
  readonly months: ReadonlySet<number>
  readonly weekdays: ReadonlySet<number>
  /** Whether the field is `*`: where both are restricted, either of them suffices. */
  readonly anyDay: boolean
  readonly anyWeekday: boolean
}

/** Walks over the days of the zone's calendar; on a day that matches, over its times. */
function nextTime(fields: Fields, offsetAt: (ms: number) => number, afterMs: number): number | undefined {
  const localNow = afterMs + offsetAt(afterMs)
  // A day earlier: where clocks go back, yesterday's late times may still come.
  const firstDay = Math.floor(localNow / DAY_MS) - 1
  for (let day = firstDay; day < firstDay + HORIZON_DAYS; day++) {
    if (!matchesDay(fields, new Date(day * DAY_MS))) continue
    let best: number | undefined
    for (const hour of fields.hours) {
      for (const minute of fields.minutes) {
        const local = day * DAY_MS + (hour * 60 + minute) * MINUTE_MS
        for (const instant of instantsOf(local, offsetAt)) if (instant > afterMs && (best === undefined || instant < best)) best = instant
      }
    }
    if (best !== undefined) return best
  }
  return undefined
}

/** The moments at which clocks show a time: none where they skip it, two where they repeat it. */
function instantsOf(local: number, offsetAt: (ms: number) => number): number[] {
  const offsets = new Set([offsetAt(local - DAY_MS), offsetAt(local + DAY_MS)])
  return [...offsets].map(offset => local - offset).filter(instant => instant + offsetAt(instant) === local)
}

function matchesDay({ days, months, weekdays, anyDay, anyWeekday }: Fields, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false
  const [byDay, byWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())]
  return anyDay || anyWeekday ? byDay && byWeekday : byDay || byWeekday
}

/** How far a zone's clocks are ahead of UTC at a moment, remembered by the quarter of an hour. */
function zoneOffsets(timeZone: string): (ms: number) => number {
  if (timeZone === 'UTC' || timeZone === 'Etc/UTC' || timeZone === '') return () => 0
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const known = new Map<number, number>()
  return ms => {
    const quarter = Math.floor(ms / (15 * MINUTE_MS))
    const found = known.get(quarter)
    if (found !== undefined) return found
    const at = quarter * 15 * MINUTE_MS
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at
    if (known.size > 1000) known.clear()
    known.set(quarter, offset)
    return offset
  }
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

function parseFields(schedule: string): Fields {
  const [minutes = '', hours = '', days = '', months = '', weekdays = ''] = schedule.trim().split(/\s+/)
  const isAny = (field: string) => /^[*?](\/1)?$/.test(field)
  return {
    minutes: valuesOf(minutes, 0, 59),
    hours: valuesOf(hours, 0, 23),
    days: new Set(valuesOf(days, 1, 31)),
    months: new Set(valuesOf(months, 1, 12, MONTHS)),
    weekdays: new Set(valuesOf(weekdays, 0, 6, WEEKDAYS)),
    anyDay: isAny(days) || days.startsWith('*') || days.startsWith('?'),
    anyWeekday: isAny(weekdays) || weekdays.startsWith('*') || weekdays.startsWith('?'),
  }
}

function valuesOf(field: string, min: number, max: number, names: readonly string[] = []): number[] {
  const values = new Set<number>()
  const numberOf = (text: string) => {
    const named = names.indexOf(text.toLowerCase())
    return named >= 0 ? named + min : Number(text)
  }
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/')
    const [low = '', high] = range.split('-')
    const isAll = low === '*' || low === '?'
    const first = isAll ? min : numberOf(low)
    const last = isAll ? max : high !== undefined ? numberOf(high) : step === undefined ? first : max
    if (Number.isNaN(first) || Number.isNaN(last)) throw new RangeError(`${field} is no field of a schedule`)
    for (let value = first; value <= Math.min(last, max); value += Math.max(1, Number(step ?? 1))) values.add(value)
  }
  return [...values].sort((a, b) => a - b)
}

/** A fixed distance, in whole seconds. */
function everyTimes(periodMs: number): CronTimes {
  const wholeMs = Math.max(1000, Math.floor(periodMs / 1000) * 1000)
  return { next: afterMs => Math.floor((afterMs + wholeMs) / 1000) * 1000 }
}
