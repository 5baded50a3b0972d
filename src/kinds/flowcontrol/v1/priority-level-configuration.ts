import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  defaulted,
  embedded,
  int32,
  listMap,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { validatePriorityLevel } from './priority-level-configuration.rules.ts'

export const ExemptPriorityLevelConfiguration = message('io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration', {
  nominalConcurrencyShares: defaulted(1, int32, 0, 'The share of all requests at a time.'),
  lendablePercent: defaulted(2, int32, 0, 'How much of it others may borrow.'),
})
export interface ExemptPriorityLevelConfiguration extends StoredOf<typeof ExemptPriorityLevelConfiguration> {}

export const QueuingConfiguration = message('io.k8s.api.flowcontrol.v1.QueuingConfiguration', {
  queues: defaulted(1, int32, 64, 'How many queues there are.', 'value'),
  handSize: defaulted(2, int32, 8, 'Among how many queues a flow is dealt.', 'value'),
  queueLengthLimit: defaulted(3, int32, 50, 'How many requests may wait in a queue.', 'value'),
})
export interface QueuingConfiguration extends StoredOf<typeof QueuingConfiguration> {}

export const LimitResponse = message('io.k8s.api.flowcontrol.v1.LimitResponse', {
  type: required(1, oneOf('Queue', 'Reject'), 'Whether they wait or are turned away.'),
  queuing: optional(2, QueuingConfiguration, 'How they wait.'),
})
export interface LimitResponse extends StoredOf<typeof LimitResponse> {}

export const LimitedPriorityLevelConfiguration = message('io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration', {
  nominalConcurrencyShares: defaulted(1, int32, 30, 'The share of all requests at a time.'),
  limitResponse: embedded(2, LimitResponse, 'What becomes of requests that are too many.'),
  lendablePercent: defaulted(3, int32, 0, 'How much of it others may borrow.'),
  borrowingLimitPercent: optional(4, int32, 'How much it may borrow.'),
})
export interface LimitedPriorityLevelConfiguration extends StoredOf<typeof LimitedPriorityLevelConfiguration> {}

export const PriorityLevelConfigurationSpec = message('io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec', {
  type: required(1, oneOf('Exempt', 'Limited'), 'Whether requests are limited at all.'),
  limited: optional(2, LimitedPriorityLevelConfiguration, 'How they are limited.'),
  exempt: optional(3, ExemptPriorityLevelConfiguration, 'What others may borrow.'),
})
export interface PriorityLevelConfigurationSpec extends StoredOf<typeof PriorityLevelConfigurationSpec> {}

export const PriorityLevelConfigurationCondition = message('io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition', {
  type: omitempty(1, string, 'What this is about.'),
  status: omitempty(2, ConditionStatus, 'Whether it holds.'),
  lastTransitionTime: embedded(3, timeOrNull, 'When the status last changed.'),
  reason: omitempty(4, string, 'What happened, in one word.'),
  message: omitempty(5, string, 'What happened, for people.'),
})
export interface PriorityLevelConfigurationCondition extends StoredOf<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationStatus = message('io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus', {
  conditions: omitempty(
    1,
    listMap(PriorityLevelConfigurationCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface PriorityLevelConfigurationStatus extends StoredOf<typeof PriorityLevelConfigurationStatus> {}

export interface PriorityLevelConfiguration
  extends ObjectWith<{ spec: PriorityLevelConfigurationSpec; status: PriorityLevelConfigurationStatus }> {}

export const PriorityLevelConfiguration = defineKind({
  documentation: 'How many requests of a sort are served at a time.',
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'PriorityLevelConfiguration',
  plural: 'prioritylevelconfigurations',
  scope: 'Cluster',
  openapi: 'io.k8s.api.flowcontrol.v1',
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  generation: true,
  spec: PriorityLevelConfigurationSpec,
  status: PriorityLevelConfigurationStatus,
  columns: [
    nameColumn,
    { name: 'Type', of: ({ spec }) => spec.type },
    {
      name: 'NominalConcurrencyShares',
      of: ({ spec: { limited, exempt } }) => limited?.nominalConcurrencyShares ?? exempt?.nominalConcurrencyShares ?? NONE,
    },
    { name: 'Queues', of: ({ spec }) => spec.limited?.limitResponse.queuing?.queues ?? NONE },
    { name: 'HandSize', of: ({ spec }) => spec.limited?.limitResponse.queuing?.handSize ?? NONE },
    { name: 'QueueLengthLimit', of: ({ spec }) => spec.limited?.limitResponse.queuing?.queueLengthLimit ?? NONE },
    ageColumn,
  ],
  prepareCreate(level) {
    level.status = {}
  },
  validate: validatePriorityLevel,
})
