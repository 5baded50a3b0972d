import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import { embedded, list, message, omitempty, optional, type StoredOf } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { PolicyRule } from './policy-rule.ts'
import { validateAggregation, validatePolicyRules } from './rbac.rules.ts'

export const AggregationRule = message('io.k8s.api.rbac.v1.AggregationRule', {
  clusterRoleSelectors: omitempty(1, list(LabelSelector), 'Which roles are put together.'),
})
export interface AggregationRule extends StoredOf<typeof AggregationRule> {}

const fields = {
  rules: embedded(2, list(PolicyRule, { nullable: true }), 'What the role allows.'),
  aggregationRule: optional(3, AggregationRule, 'Which other roles this one is made of.'),
}

export interface ClusterRole extends ObjectOfFields<typeof fields> {}

export const ClusterRole = defineKind({
  documentation: 'Permissions, in the whole cluster.',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  scope: 'Cluster',
  openapi: 'io.k8s.api.rbac.v1',
  createOnUpdate: true,
  validateName: isPathSegmentName,
  fields,
  validate({ rules, aggregationRule }, errors) {
    validatePolicyRules(rules, false, errors.at('rules'))
    validateAggregation(aggregationRule, errors.at('aggregationRule'))
  },
})
