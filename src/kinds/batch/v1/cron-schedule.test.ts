import { expect, it } from 'vitest'
import { scheduleError } from './cron-schedule.ts'

for (const good of ['* * * * *', '*/5 0-6 1,15 JAN-mar mon', '@daily', '@every 1h30m', '0 0 ? * 5/2']) {
  it(`accepts ${good}`, () => expect(scheduleError(good)).toBeUndefined())
}

const bad: [string, string][] = [
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['@often', 'unrecognized descriptor: @often'],
]
for (const [schedule, error] of bad) it(`refuses ${JSON.stringify(schedule)}`, () => expect(scheduleError(schedule)).toBe(error))
