import { describe, expect, it } from 'vitest'
import { errorsOf, stored } from '../../stored.fixture.ts'
import { CronJob } from './cron-job.ts'
import { Job } from './job.ts'

const template = { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
const jobOf = (more: object) =>
  stored(Job, {
    metadata: { name: 'j', namespace: 'ns', uid: 'u' },
    spec: { template, manualSelector: true, selector: { matchLabels: { a: 'b' } }, ...more } as object as Job['spec'],
  })
const cronJobOf = (more: object) =>
  stored(CronJob, {
    metadata: { name: 'c', namespace: 'ns' },
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template } }, ...more } as object as CronJob['spec'],
  })

describe('a job', () => {
  it.each<[string, object, string[]]>([
    ['is fine with a template', {}, []],
    ['has no less than no pods', { parallelism: -1 }, ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0']],
    [
      'has a number of completions if it counts them by index',
      { completionMode: 'Indexed', parallelism: 2 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'does not restart its pods forever',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Always' } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
  ])('%s', (_, more, errors) => {
    expect(errorsOf(Job, jobOf(more))).toEqual(errors)
  })
})

describe('a cron job', () => {
  it.each<[string, object, string[]]>([
    ['is fine with a schedule and a template', {}, []],
    ['needs a schedule', { schedule: '' }, ['spec.schedule: Required value']],
    [
      'handles overlaps in a known way',
      { concurrencyPolicy: 'Maybe' },
      ['spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"'],
    ],
  ])('%s', (_, more, errors) => {
    expect(errorsOf(CronJob, cronJobOf(more))).toEqual(errors)
  })
})
