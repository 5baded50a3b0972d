import {
  boolean,
  defaulted,
  int32,
  int64,
  list,
  listSet,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { PodTemplateSpec } from '../../core/v1/pod-template-spec.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'

export const PodFailurePolicyOnExitCodesRequirement = message('io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement', {
  containerName: optional(1, string, 'The container; none stands for each.'),
  operator: required(2, oneOf('In', 'NotIn'), '`In` or `NotIn`.'),
  values: required(3, listSet(int32), 'The exit codes.'),
})
export interface PodFailurePolicyOnExitCodesRequirement extends StoredOf<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = message('io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern', {
  type: required(1, string, "The type of the pod's condition."),
  status: defaulted(2, ConditionStatus, 'True', 'The status it has to have.', 'value'),
})
export interface PodFailurePolicyOnPodConditionsPattern extends StoredOf<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = message('io.k8s.api.batch.v1.PodFailurePolicyRule', {
  action: required(1, oneOf('FailJob', 'FailIndex', 'Ignore', 'Count'), 'What the failure means.'),
  onExitCodes: optional(2, PodFailurePolicyOnExitCodesRequirement, 'Matches exit codes.'),
  onPodConditions: omitempty(3, list(PodFailurePolicyOnPodConditionsPattern), 'Matches conditions of the pod.'),
})
export interface PodFailurePolicyRule extends StoredOf<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = message('io.k8s.api.batch.v1.PodFailurePolicy', {
  rules: required(1, list(PodFailurePolicyRule), 'What failures mean; the first rule that matches counts.'),
})
export interface PodFailurePolicy extends StoredOf<typeof PodFailurePolicy> {}

export const SuccessPolicyRule = message('io.k8s.api.batch.v1.SuccessPolicyRule', {
  succeededIndexes: optional(1, string, 'The indexes that must succeed.'),
  succeededCount: optional(2, int32, 'How many of them must succeed.'),
})
export interface SuccessPolicyRule extends StoredOf<typeof SuccessPolicyRule> {}

export const SuccessPolicy = message('io.k8s.api.batch.v1.SuccessPolicy', {
  rules: required(1, list(SuccessPolicyRule), 'When it has succeeded; one rule is enough.'),
})
export interface SuccessPolicy extends StoredOf<typeof SuccessPolicy> {}

export const JobSpec = message('io.k8s.api.batch.v1.JobSpec', {
  parallelism: optional(1, int32, 'How many pods run at the same time.'),
  completions: optional(2, int32, 'How many pods must succeed.'),
  activeDeadlineSeconds: optional(3, int64, 'After how many seconds the job fails.'),
  podFailurePolicy: optional(11, PodFailurePolicy, 'What failures of pods mean.'),
  successPolicy: optional(16, SuccessPolicy, 'When the job has succeeded before all pods have.'),
  backoffLimit: optional(7, int32, 'How many failures are one too many.'),
  backoffLimitPerIndex: optional(12, int32, 'The same for each index.'),
  maxFailedIndexes: optional(13, int32, 'How many indexes may fail.'),
  selector: optional(4, LabelSelector, 'Which pods are its own.'),
  manualSelector: optional(5, boolean, 'Whether the client chose the selector.'),
  template: required(6, PodTemplateSpec, 'What its pods look like.'),
  ttlSecondsAfterFinished: optional(8, int32, 'After how many seconds a finished job is deleted.'),
  completionMode: optional(9, oneOf('NonIndexed', 'Indexed'), 'Whether completions are numbered.'),
  suspend: optional(10, boolean, 'Whether no pods run for now.'),
  podReplacementPolicy: optional(14, oneOf('TerminatingOrFailed', 'Failed'), 'When a pod is replaced.'),
  managedBy: optional(15, string, 'Who looks after the job.'),
})
export interface JobSpec extends StoredOf<typeof JobSpec> {}
