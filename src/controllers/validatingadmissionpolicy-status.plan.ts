import type { CelType } from '#base/languages/cel/types.ts'
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { PolicyCompiler } from '#machinery/cel/policy-compiler.ts'
import { typeOfSchema } from '#machinery/cel/schema-types.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'

/** So many kinds are looked at for one rule. */
const MAX_KINDS = 10

/**
 * What is wrong with the expressions of a policy for the kinds that it is about: fields that they do not have, types that do not fit. Only
 * what rules name is looked at (no `*`, no subresources), and of it only kinds whose schema is among `kinds`.
 */
export function expressionWarnings(policy: ValidatingAdmissionPolicy, kinds: readonly AnyKind[]): readonly ExpressionWarning[] {
  const checked = kindsOf(policy, kinds)
  const params = paramsType(policy, kinds)
  return (policy.spec.validations ?? []).flatMap(({ expression, messageExpression }, index) => {
    const at = `spec.validations[${index}]`
    const warn = (field: string, text: string) => {
      const warning = checked.flatMap(kind => warningOf(policy, text, kind, params)).join('\n')
      return warning === '' ? [] : [{ fieldRef: `${at}.${field}`, warning }]
    }
    return [...warn('expression', expression), ...(messageExpression ? warn('messageExpression', messageExpression) : [])]
  })
}

function warningOf({ spec }: ValidatingAdmissionPolicy, expression: string, kind: AnyKind, params: CelType | undefined): string[] {
  const compiler = new PolicyCompiler(spec.paramKind !== undefined, { object: typeOfSchema(kind.schema), params })
  for (const variable of spec.variables ?? []) compiler.addVariable(variable.name, variable.expression)
  const { issues } = compiler.compile(expression, undefined)
  return issues === undefined ? [] : [`${kind.group}/${kind.version}, Kind=${kind.kind}: ${issues}\n`]
}

/** The kinds that the rules of a policy name, in order. */
function kindsOf({ spec }: ValidatingAdmissionPolicy, kinds: readonly AnyKind[]): readonly AnyKind[] {
  const found = new Set<AnyKind>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some(name => name.includes('*'))) continue
    const named = kinds.filter(
      kind => apiGroups.includes(kind.group) && apiVersions.includes(kind.version) && resources.includes(kind.plural),
    )
    for (const kind of named.slice(0, MAX_KINDS)) found.add(kind)
  }
  const name = ({ group, version, kind }: AnyKind) => `${group}/${version}/${kind}`
  return [...found].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

function paramsType({ spec: { paramKind } }: ValidatingAdmissionPolicy, kinds: readonly AnyKind[]): CelType | undefined {
  if (paramKind === undefined) return undefined
  const { group, version } = groupVersionOf(paramKind.apiVersion ?? '')
  const kind = kinds.find(one => one.group === group && one.version === version && one.kind === paramKind.kind)
  return kind && typeOfSchema(kind.schema)
}
