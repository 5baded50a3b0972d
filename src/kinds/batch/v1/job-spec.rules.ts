import { isQualifiedName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validatePodTemplate } from '../../core/v1/pod-template-spec.rules.ts'
import { internal, validateNonNegative, validateWord } from '../../meta/v1/rules.ts'
import type { JobSpec, PodFailurePolicyRule, SuccessPolicyRule } from './job-spec.ts'

const MAX_PARALLELISM = 100_000
const MAX_INDEXES = 100_000

/** What holds for a job and for the template of one. */
export function validateJobSpec(spec: JobSpec, errors: FieldErrors): void {
  for (const name of NUMBERS) validateNonNegative(spec[name], errors.at(name))
  validateCompletionMode(spec, errors)
  validateBackoff(spec, errors)
  if (spec.managedBy !== undefined) {
    const wrong = spec.managedBy.includes('/')
      ? isQualifiedName(spec.managedBy)
      : ['must be a domain-prefixed path (such as "acme.io/foo")']
    errors.at('managedBy').invalidEach(spec.managedBy, wrong)
    if (spec.managedBy.length > 63) errors.at('managedBy').tooLong(63)
  }
  validatePodTemplate(spec.template, errors.at('template'))
  const { restartPolicy } = spec.template.spec
  const at = errors.at('template').at('spec').at('restartPolicy')
  if (restartPolicy === 'Always') at.required('valid values: "OnFailure", "Never"')
  else if (spec.podFailurePolicy && restartPolicy !== 'Never') {
    at.invalid(restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')
  }
  if (spec.podFailurePolicy) validateFailurePolicy(spec, errors.at('podFailurePolicy'))
  if (spec.successPolicy) {
    if (spec.completionMode !== 'Indexed')
      errors.at('successPolicy').invalid(internal(spec.successPolicy), 'requires indexed completion mode')
    else validateSuccessPolicy(spec, errors.at('successPolicy'))
  }
  if (spec.podReplacementPolicy !== undefined) {
    validateWord(
      spec.podReplacementPolicy,
      spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'],
      errors.at('podReplacementPolicy'),
    )
  }
}

const NUMBERS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

function validateCompletionMode(
  { completionMode: mode, completions, parallelism = 0, maxFailedIndexes }: JobSpec,
  errors: FieldErrors,
): void {
  if (mode === undefined) return
  if (mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.at('completionMode').notSupported(mode, ['NonIndexed', 'Indexed'])
    return
  }
  if (mode !== 'Indexed') return
  if (completions === undefined) errors.at('completions').required('when completion mode is Indexed')
  if (parallelism > MAX_PARALLELISM) {
    errors.at('parallelism').invalid(parallelism, `must be less than or equal to ${MAX_PARALLELISM} when completion mode is Indexed`)
  }
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.at('maxFailedIndexes').invalid(maxFailedIndexes, 'must be less than or equal to completions')
  }
}

function validateBackoff({ backoffLimitPerIndex, maxFailedIndexes, completionMode, completions = 0 }: JobSpec, errors: FieldErrors): void {
  if (maxFailedIndexes !== undefined) {
    if (maxFailedIndexes > MAX_INDEXES)
      errors.at('maxFailedIndexes').invalid(maxFailedIndexes, `must be less than or equal to ${MAX_INDEXES}`)
    if (backoffLimitPerIndex === undefined) errors.at('backoffLimitPerIndex').required('when maxFailedIndexes is specified')
  }
  if (backoffLimitPerIndex === undefined) return
  if (completionMode !== 'Indexed') errors.at('backoffLimitPerIndex').invalid(backoffLimitPerIndex, 'requires indexed completion mode')
  if (completions > MAX_INDEXES && maxFailedIndexes === undefined) {
    errors.at('maxFailedIndexes').required(`must be specified when completions is above ${MAX_INDEXES}`)
  }
}

function validateFailurePolicy({ podFailurePolicy, template, backoffLimitPerIndex }: JobSpec, errors: FieldErrors): void {
  const rules = podFailurePolicy?.rules ?? []
  const names = new Set([...template.spec.containers, ...(template.spec.initContainers ?? [])].map(({ name }) => name))
  if (rules.length > 20) errors.at('rules').tooMany(rules.length, 20)
  rules.forEach((rule, index) => {
    validateFailureRule(rule, names, backoffLimitPerIndex !== undefined, errors.at('rules').index(index))
  })
}

function validateFailureRule(rule: PodFailurePolicyRule, containers: ReadonlySet<string>, isPerIndex: boolean, errors: FieldErrors): void {
  const { action, onExitCodes, onPodConditions } = rule
  const actions = isPerIndex ? ['Count', 'FailIndex', 'FailJob', 'Ignore'] : ['Count', 'FailJob', 'Ignore']
  if (action === 'FailIndex' && !isPerIndex) errors.at('action').invalid(action, 'requires the backoffLimitPerIndex to be set')
  else validateWord(action, actions, errors.at('action'))
  if (onExitCodes) {
    const at = errors.at('onExitCodes')
    validateWord(onExitCodes.operator, ['In', 'NotIn'], at.at('operator'))
    if (onExitCodes.containerName !== undefined && !containers.has(onExitCodes.containerName)) {
      at.at('containerName').invalid(onExitCodes.containerName, 'must be one of the container or initContainer names in the pod template')
    }
    const { values } = onExitCodes
    if (values.length === 0) at.at('values').invalid(values, 'at least one value is required')
    if (values.length > 255) at.at('values').tooMany(values.length, 255)
    values.forEach((value, index) => {
      if (value === 0 && onExitCodes.operator === 'In') at.at('values').index(index).invalid(value, 'must not be 0 for the In operator')
      if (values.indexOf(value) !== index) at.at('values').index(index).duplicate(value)
      else if (index > 0 && value < values[index - 1]!) at.at('values').invalid(values, 'must be ordered')
    })
  }
  if (onPodConditions) {
    if (onPodConditions.length > 20) errors.at('onPodConditions').tooMany(onPodConditions.length, 20)
    onPodConditions.forEach(({ type, status }, index) => {
      const at = errors.at('onPodConditions').index(index)
      at.at('type').invalidEach(type, isQualifiedName(type))
      validateWord(status, ['False', 'True', 'Unknown'], at.at('status'))
    })
  }
  if (onExitCodes && onPodConditions) errors.invalid(rule, 'specifying both OnExitCodes and OnPodConditions is not supported')
  if (!onExitCodes && !onPodConditions) errors.invalid(rule, 'specifying one of OnExitCodes and OnPodConditions is required')
}

function validateSuccessPolicy({ successPolicy, completions = 0 }: JobSpec, errors: FieldErrors): void {
  const rules = successPolicy?.rules ?? []
  const at = errors.at('rules')
  if (rules.length === 0) at.required('at least one rules must be specified when the successPolicy is specified')
  if (rules.length > 20) at.tooMany(rules.length, 20)
  rules.forEach((rule, index) => {
    validateSuccessRule(rule, completions, at.index(index))
  })
}

function validateSuccessRule({ succeededCount, succeededIndexes }: SuccessPolicyRule, completions: number, errors: FieldErrors): void {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    errors.required('at least one of succeededCount or succeededIndexes must be specified')
    return
  }
  let indexes = completions
  if (succeededIndexes !== undefined) {
    const result = countIndexes(succeededIndexes, completions)
    if (typeof result === 'string') errors.at('succeededIndexes').invalid(succeededIndexes, `error parsing succeededIndexes: ${result}`)
    else indexes = result
    if (succeededIndexes.length > 65_536) errors.at('succeededIndexes').tooLong(65_536)
  }
  if (succeededCount === undefined) return
  validateNonNegative(succeededCount, errors.at('succeededCount'))
  if (succeededCount > completions) {
    errors
      .at('succeededCount')
      .invalid(succeededCount, `must be less than or equal to ${completions} (the number of specified completions)`)
  }
  if (succeededIndexes !== undefined && succeededCount > indexes) {
    errors
      .at('succeededCount')
      .invalid(succeededCount, `must be less than or equal to ${indexes} (the number of indexes in the specified succeededIndexes field)`)
  }
}

/** How many indexes `1,3-5` names, or what is wrong with it. */
function countIndexes(text: string, completions: number): number | string {
  if (text === '') return 0
  let total = 0
  let last = -1
  for (const part of text.split(',')) {
    const ends = part.split('-')
    if (ends.length > 2)
      return `the fragment "${part}" violates the requirement that an index interval can have at most two parts separated by '-'`
    for (const end of ends) if (!/^[0-9]+$/.test(end)) return `cannot convert string to integer for index: "${end}"`
    const [from, to = from] = ends.map(Number) as [number, number?]
    for (const end of [from, to!]) if (end >= completions) return `too large index: "${end}"`
    if (from <= last) return `non-increasing order, previous: ${last}, current: ${from}`
    if (ends.length === 2 && to! <= from) return `non-increasing order, previous: ${from}, current: ${to}`
    total += to! - from + 1
    last = to!
  }
  return total
}
