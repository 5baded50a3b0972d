import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateNonNegative, validateWord } from '../../meta/v1/rules.ts'
import type { CronJob, CronJobSpec } from './cron-job.ts'
import { scheduleError } from './cron-schedule.ts'
import { validateJobSpec } from './job-spec.rules.ts'

export function validateCronJob({ spec }: CronJob, errors: FieldErrors): void {
  const at = errors.at('spec')
  if (spec.schedule === '') at.at('schedule').required()
  else {
    const wrong = scheduleError(spec.schedule.replace(/^(CRON_)?TZ=\S+\s+/, ''))
    if (wrong !== undefined) at.at('schedule').invalid(spec.schedule, wrong)
  }
  validateNonNegative(spec.startingDeadlineSeconds, at.at('startingDeadlineSeconds'))
  validateTimeZone(spec.timeZone, at.at('timeZone'))
  validateWord(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], at.at('concurrencyPolicy'))
  validateJobSpec(spec.jobTemplate.spec, at.at('jobTemplate').at('spec'))
  validateNonNegative(spec.successfulJobsHistoryLimit, at.at('successfulJobsHistoryLimit'))
  validateNonNegative(spec.failedJobsHistoryLimit, at.at('failedJobsHistoryLimit'))
}

/** The names of its jobs and their pods have to fit as well. */
export function validateNewCronJob({ metadata, spec }: CronJob, errors: FieldErrors): void {
  const { name = '' } = metadata
  if (name.length > 52) errors.at('metadata').at('name').invalid(name, 'must be no more than 52 characters')
  validateSchedule(spec, undefined, errors.at('spec').at('schedule'))
}

/** The time zone has a field of its own. */
export function validateSchedule({ schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined, errors: FieldErrors): void {
  if (!schedule.includes('TZ')) return
  if (timeZone !== undefined) errors.invalid(schedule, 'cannot use both timeZone field and TZ or CRON_TZ in schedule')
  if (old?.schedule !== schedule) errors.invalid(schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
}

function validateTimeZone(zone: string | undefined, errors: FieldErrors): void {
  if (zone === undefined) return
  if (zone === '') {
    errors.invalid(zone, 'timeZone must be nil or non-empty string')
    return
  }
  if (zone.toLowerCase() === 'local') {
    errors.invalid(zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones')
  } else if (!isTimeZone(zone)) errors.invalid(zone, `unknown time zone ${zone}`)
}

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return !/^[+-]/.test(zone)
  } catch {
    return false
  }
}
