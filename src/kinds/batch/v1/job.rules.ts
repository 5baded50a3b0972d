import { equal } from '#machinery/kind/draft.ts'
import { isDNS1123Label } from '#machinery/meta/names.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { compile, validateTemplateMatches } from '../../apps/v1/workload.rules.ts'
import { internal, shownLabels, shownSelector, validateImmutable, validateLabelSelector, validateNonNegative } from '../../meta/v1/rules.ts'
import { isFinished } from './job.facts.ts'
import type { Job } from './job.ts'
import { validateJobSpec } from './job-spec.rules.ts'

export function validateJob(job: Job, errors: FieldErrors): void {
  validateGeneratedSelector(job, errors.at('spec'))
  const at = errors.at('spec')
  validateJobSpec(job.spec, at)
  const { selector, template } = job.spec
  if (!selector) at.at('selector').required()
  else validateLabelSelector(selector, at.at('selector'))
  const compiled = selector ? compile(selector) : LabelSelector.nothing
  if (compiled) validateTemplateMatches(compiled, template, at.at('template'))
  validatePodNames(job, errors.at('metadata').at('name'))
}

/** A selector that was left to the server is the server's. */
function validateGeneratedSelector({ metadata, spec }: Job, errors: FieldErrors): void {
  if (spec.manualSelector || !spec.selector) return
  const { uid = '', name = '' } = metadata
  const expected = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  const labels = spec.template.metadata.labels ?? {}
  for (const [key, value] of Object.entries(expected)) {
    const at = errors.at('template').at('metadata').at('labels').key(key)
    if (labels[key] === undefined) at.required(`must be '${value}'`)
    else if (labels[key] !== value) at.invalid(shownLabels(labels), `must be '${value}'`)
  }
  if (compile(spec.selector)?.matches(expected) === false)
    errors.at('selector').invalid(shownSelector(spec.selector), '`selector` not auto-generated')
}

/** Indexed jobs name their pods after themselves and the index. */
function validatePodNames({ metadata, spec }: Job, errors: FieldErrors): void {
  if (spec.completionMode !== 'Indexed' || !spec.completions || spec.completions <= 0) return
  const name = `${metadata.name}-${spec.completions - 1}`
  const wrong = isDNS1123Label(name)
  if (wrong.length > 0) errors.invalid(metadata.name, `will not able to create pod with invalid DNS label: ${name}`)
}

export function validateJobUpdate(job: Job, old: Job, errors: FieldErrors, subresource: string): void {
  if (subresource === 'status') {
    validateStatusUpdate(job, old, errors.at('status'))
    return
  }
  const at = errors.at('spec')
  validateCompletions(job, old, at.at('completions'))
  validateImmutable(job.spec.selector, old.spec.selector, at.at('selector'))
  validateTemplateUpdate(job, old, at.at('template'))
  for (const name of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) {
    if (!equal(job.spec[name], old.spec[name])) at.at(name).invalid(shown(job.spec[name]), 'field is immutable')
  }
}

function shown(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? internal(value) : (value ?? null)
}

/** An indexed job may be made larger or smaller together with its parallelism. */
function validateCompletions({ spec }: Job, { spec: old }: Job, errors: FieldErrors): void {
  if (spec.completions === old.completions) return
  if (spec.completionMode !== 'Indexed') {
    errors.invalid(spec.completions ?? null, 'field is immutable')
    return
  }
  if (spec.completions === undefined) {
    errors.required('when completion mode is Indexed')
    return
  }
  if (spec.completions !== spec.parallelism) errors.invalid(spec.completions, `can only be modified in tandem with spec.parallelism`)
}

/** Where pods may run can change while a job that has not started is suspended. */
function validateTemplateUpdate({ spec }: Job, old: Job, errors: FieldErrors): void {
  const isSuspended = old.spec.suspend === true && old.status.startTime === undefined
  const before = old.spec.template
  const after = spec.template
  if (equal(before, after)) return
  const allowed = isSuspended
    ? {
        ...after,
        metadata: { ...after.metadata, labels: before.metadata.labels, annotations: before.metadata.annotations },
        spec: {
          ...after.spec,
          nodeSelector: before.spec.nodeSelector,
          tolerations: before.spec.tolerations,
          schedulingGates: before.spec.schedulingGates,
          affinity:
            after.spec.affinity || before.spec.affinity
              ? emptyAsNothing({ ...after.spec.affinity, nodeAffinity: before.spec.affinity?.nodeAffinity })
              : undefined,
          ...resourcesOf(after, before),
        },
      }
    : after
  if (equal(allowed, before)) return
  if (isSuspended) errors.at('spec').invalid(internal(after.spec), 'field is immutable')
  else errors.invalid(internal(after), 'field is immutable')
}

type Template = Job['spec']['template']

function resourcesOf(after: Template, before: Template): object {
  const take = (list: 'containers' | 'initContainers') =>
    after.spec[list]?.map((container, index) => ({ ...container, resources: before.spec[list]?.[index]?.resources }))
  return { containers: take('containers'), initContainers: take('initContainers') }
}

function emptyAsNothing(affinity: object): object | undefined {
  return Object.values(affinity).some(part => part !== undefined) ? affinity : undefined
}

function validateStatusUpdate(job: Job, old: Job, errors: FieldErrors): void {
  const { status, spec } = job
  for (const name of ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const) validateNonNegative(status[name], errors.at(name))
  const has = (type: string) => status.conditions?.some(condition => condition.type === type && condition.status === 'True') === true
  const ended = isFinished(job)
  if (has('Complete') && has('Failed'))
    errors.at('conditions').invalid(internal(status.conditions), 'cannot set Complete=True and Failed=true conditions')
  if (status.completionTime !== undefined) {
    if (!has('Complete'))
      errors.at('completionTime').invalid(status.completionTime, 'cannot set completionTime when there is no Complete=True condition')
    if (status.startTime && status.completionTime < status.startTime) {
      errors.at('completionTime').invalid(status.completionTime, 'completionTime cannot be set before startTime')
    }
  } else if (has('Complete')) errors.at('completionTime').required('completionTime is required for Complete jobs')
  if (ended) {
    if (status.startTime === undefined) errors.at('startTime').required('startTime is required for finished job')
    if ((status.active ?? 0) > 0) errors.at('active').invalid(status.active, 'active>0 is invalid for finished job')
    if ((status.ready ?? 0) > 0) errors.at('ready').invalid(status.ready, 'ready>0 is invalid for finished job')
    if ((status.terminating ?? 0) > 0) errors.at('terminating').invalid(status.terminating, 'terminating>0 is invalid for finished job')
    if (has('Complete') && !has('SuccessCriteriaMet')) {
      errors
        .at('conditions')
        .invalid(internal(status.conditions), 'cannot set Complete=True condition without the SuccessCriteriaMet=true condition')
    }
    if (has('Failed') && !has('FailureTarget')) {
      errors
        .at('conditions')
        .invalid(internal(status.conditions), 'cannot set Failed=True condition without the FailureTarget=true condition')
    }
  }
  if ((status.ready ?? 0) > (status.active ?? 0)) errors.at('ready').invalid(status.ready, 'cannot set more ready pods than active')
  if (isFinished(old) && !ended) errors.at('conditions').invalid(internal(status.conditions), 'cannot remove a finished condition')
  if (old.status.startTime !== undefined && !spec.suspend && status.startTime !== old.status.startTime) {
    errors.at('startTime').required('startTime cannot be removed for unsuspended job')
  }
}
