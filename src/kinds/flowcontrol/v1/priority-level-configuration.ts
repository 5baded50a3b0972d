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
} from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { flowControlConditionFields } from './condition-fields.ts'
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

export const PriorityLevelConfigurationCondition = message(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition',
  flowControlConditionFields,
)
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
  subresources: [statusSubresource],
  generation: true,
  spec: PriorityLevelConfigurationSpec,
  status: PriorityLevelConfigurationStatus,
  columns: [
    nameColumn,
    {
      name: 'Type',
      description:
        '`type` indicates whether this priority level is subject to limitation on request execution.  A value of `"Exempt"` means that requests of this priority level are not subject to a limit (and thus are never queued) and do not detract from the capacity made available to other priority levels.  A value of `"Limited"` means that (a) requests of this priority level _are_ subject to limits and (b) some of the server\'s limited capacity is made available exclusively to this priority level. Required.',
      of: ({ spec }) => spec.type,
    },
    {
      name: 'NominalConcurrencyShares',
      description:
        '`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server\'s concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values:\n\nNominalCL(i)  = ceil( ServerCL * NCS(i) / sum_ncs ) sum_ncs = sum[priority level k] NCS(k)\n\nBigger numbers mean a larger nominal concurrency limit, at the expense of every other priority level.\n\nIf not specified, this field defaults to a value of 30.\n\nSetting this field to zero supports the construction of a "jail" for this priority level that is used to hold some request(s)',
      of: ({ spec: { limited } }) => limited?.nominalConcurrencyShares ?? NONE,
    },
    {
      name: 'Queues',
      description:
        '`queues` is the number of queues for this priority level. The queues exist independently at each apiserver. The value must be positive.  Setting it to 1 effectively precludes shufflesharding and thus makes the distinguisher method of associated flow schemas irrelevant.  This field has a default value of 64.',
      of: ({ spec }) => spec.limited?.limitResponse.queuing?.queues ?? NONE,
    },
    {
      name: 'HandSize',
      description:
        "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.  When enqueuing a request at this priority level the request's flow identifier (a string pair) is hashed and the hash value is used to shuffle the list of queues and deal a hand of the size specified here.  The request is put into one of the shortest queues in that hand. `handSize` must be no larger than `queues`, and should be significantly smaller (so that a few heavy flows do not saturate most of the queues).  See the user-facing documentation for more extensive guidance on setting this field.  This field has a default value of 8.",
      of: ({ spec }) => spec.limited?.limitResponse.queuing?.handSize ?? NONE,
    },
    {
      name: 'QueueLengthLimit',
      description:
        '`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time; excess requests are rejected.  This value must be positive.  If not specified, it will be defaulted to 50.',
      of: ({ spec }) => spec.limited?.limitResponse.queuing?.queueLengthLimit ?? NONE,
    },
    ageColumn,
  ],
  prepareCreate(level) {
    level.status = {}
  },
  validate: validatePriorityLevel,
})
