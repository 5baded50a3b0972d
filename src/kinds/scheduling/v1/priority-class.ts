import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, defaulted, embedded, int32, omitempty, string } from '#machinery/schema/schema.ts'
import { PreemptionPolicy } from '../../core/v1/preemption-policy.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable, validateWord } from '../../meta/v1/rules.ts'

const fields = {
  value: embedded(2, int32, 'The priority; higher goes first.'),
  globalDefault: omitempty(3, boolean, 'Whether pods that name no class get this one.'),
  description: omitempty(4, string, 'What the class is for.'),
  preemptionPolicy: defaulted(5, PreemptionPolicy, 'PreemptLowerPriority', 'Whether less important pods give way.'),
}

export interface PriorityClass extends ObjectOfFields<typeof fields> {}

export const PriorityClass = defineKind({
  documentation: 'How important pods are.',
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.scheduling.v1',
  shortNames: ['pc'],
  fields,
  columns: [
    nameColumn,
    {
      name: 'Value',
      description:
        'value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec.',
      type: 'integer',
      of: ({ value }) => value,
    },
    {
      name: 'Global-Default',
      description:
        'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the default priority.',
      type: 'boolean',
      of: ({ globalDefault }) => globalDefault ?? false,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      description:
        'preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. Defaults to PreemptLowerPriority if unset.',
      of: ({ preemptionPolicy }) => preemptionPolicy,
    },
  ],
  // Its generation is set once and never counted.
  prepareCreate({ metadata }) {
    metadata.generation = 1
  },
  validate({ metadata: { name = '' }, value, preemptionPolicy }, errors) {
    if (name.startsWith('system-')) {
      const expected = SYSTEM_CLASSES.get(name)
      const problem =
        expected === undefined
          ? `${name} is not a known system priority class`
          : value === expected
            ? undefined
            : `value of ${name} PriorityClass must be ${expected}`
      if (problem !== undefined) {
        errors
          .at('metadata')
          .at('name')
          .forbidden(`priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`)
      }
    } else if (value > HIGHEST_USER_VALUE)
      errors.at('value').forbidden(`maximum allowed value of a user defined priority is ${HIGHEST_USER_VALUE}`)
    validateWord(preemptionPolicy, ['PreemptLowerPriority', 'Never'], errors.at('preemptionPolicy'))
  },
  validateUpdate({ value, preemptionPolicy }, old, errors) {
    if (value !== old.value) errors.at('value').forbidden('may not be changed in an update.')
    validateImmutable(preemptionPolicy, old.preemptionPolicy, errors.at('preemptionPolicy'))
  },
})

/** What users may give at most; more is the system's. */
export const HIGHEST_USER_VALUE = 1_000_000_000

/** The classes of the system itself. */
export const SYSTEM_CLASSES: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])
