import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import { embedded, list } from '#machinery/schema/schema.ts'
import { PolicyRule } from './policy-rule.ts'
import { validatePolicyRules } from './rbac.rules.ts'

const fields = {
  rules: embedded(2, list(PolicyRule, { nullable: true }), 'What the role allows.'),
}

export interface Role extends ObjectOfFields<typeof fields> {}

export const Role = defineKind({
  documentation: 'Permissions in a namespace.',
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.rbac.v1',
  createOnUpdate: true,
  validateName: isPathSegmentName,
  fields,
  validate: ({ rules }, errors) => validatePolicyRules(rules, true, errors.at('rules')),
})
