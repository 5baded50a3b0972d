import { parseDuration } from '#machinery/duration/duration.ts'

/** What is wrong with a schedule in Cron's notation; undefined if nothing is. The words are upstream's. */
export function scheduleError(schedule: string): string | undefined {
  if (schedule === '') return 'empty spec string'
  if (schedule.startsWith('@')) return descriptorError(schedule)
  const fields = schedule.split(/\s+/).filter(field => field !== '')
  if (fields.length !== 5) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`
  for (const [index, field] of fields.entries()) {
    for (const part of field.split(',').filter(part => part !== '')) {
      const wrong = rangeError(part, FIELDS[index]!)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

interface CronField {
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const FIELDS: readonly CronField[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]

const DESCRIPTORS = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

function descriptorError(text: string): string | undefined {
  if (DESCRIPTORS.includes(text)) return undefined
  if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`
  try {
    parseDuration(text.slice('@every '.length))
    return undefined
  } catch (error) {
    return `failed to parse duration ${text}: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** `*`, `5`, `1-5`, `*\u002f2`, `mon-fri`. */
function rangeError(text: string, { min, max, names }: CronField): string | undefined {
  const [range = '', step, ...more] = text.split('/')
  if (more.length > 0) return `too many slashes: ${text}`
  const [low = '', high, ...rest] = range.split('-')
  if (rest.length > 0) return `too many hyphens: ${text}`
  let start = min
  let end = max
  if (low !== '*' && low !== '?') {
    const first = numberOf(low, min, names)
    if (typeof first === 'string') return first
    const last = high === undefined ? (step === undefined ? first : max) : numberOf(high, min, names)
    if (typeof last === 'string') return last
    start = first
    end = last
  }
  if (step !== undefined) {
    const every = numberOf(step, 0, undefined)
    if (typeof every === 'string') return every
    if (every === 0) return `step of range should be a positive number: ${text}`
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  return undefined
}

function numberOf(text: string, min: number, names: readonly string[] | undefined): number | string {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + min
  if (!/^[+-]?[0-9]+$/.test(text)) return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
  const value = Number(text)
  return value < 0 ? `negative number (${value}) not allowed: ${text}` : value
}
