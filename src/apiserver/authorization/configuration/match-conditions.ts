import type { Environment } from '#base/languages/cel/environment.ts'
import { typedJsonValue } from '#base/languages/cel/json-values.ts'
import type { CelProgram } from '#base/languages/cel/program.ts'
import { BOOL, type CelType, listOf, mapOf, objectType, STRING } from '#base/languages/cel/types.ts'
import { kubernetesEnvironment, PER_CALL_COST_LIMIT } from '#machinery/cel/kubernetes-environment.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'

const REQUIREMENT = objectType('kubernetes.SelectorRequirement', { key: STRING, operator: STRING, values: listOf(STRING) })
const selector = (name: string): CelType => objectType(name, { rawSelector: STRING, requirements: listOf(REQUIREMENT) })

const SPEC = objectType('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: objectType('kubernetes.ResourceAttributes', {
    namespace: STRING,
    verb: STRING,
    group: STRING,
    version: STRING,
    resource: STRING,
    subresource: STRING,
    name: STRING,
    fieldSelector: selector('kubernetes.FieldSelectorAttributes'),
    labelSelector: selector('kubernetes.LabelSelectorAttributes'),
  }),
  nonResourceAttributes: objectType('kubernetes.NonResourceAttributes', { path: STRING, verb: STRING }),
  user: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
  uid: STRING,
})

/** Whether a webhook is to be asked about a request; throws if that cannot be found out. */
export type MatchConditions = (spec: JsonObject) => boolean

/** What is wrong with a condition; undefined if it can be used. */
export function matchConditionProblem(expression: string): string | undefined {
  const compiled = environment().compile(expression, { expects: [BOOL] })
  if (compiled.issues === undefined) return undefined
  return compiled.mismatch ? compiled.issues : `compilation failed: ${compiled.issues}`
}

/**
 * Conditions in CEL over `request`, the spec of a SubjectAccessReview in v1. One that is false decides; else one that cannot be evaluated is a
 * failure. Throws for an expression that {@link matchConditionProblem} refuses.
 */
export function matchConditions(expressions: readonly string[]): MatchConditions {
  const programs = expressions.map(programOf)
  return spec => {
    const request = typedJsonValue(whole(spec), SPEC)
    let problem: string | undefined
    for (const program of programs) {
      const { value, error } = program.evaluate({ request }, PER_CALL_COST_LIMIT)
      if (error !== undefined) problem ??= error
      else if (value !== true) return false
    }
    if (problem !== undefined) throw new Error(`a match condition cannot be evaluated: ${problem}`)
    return true
  }
}

function programOf(expression: string): CelProgram {
  const compiled = environment().compile(expression, { expects: [BOOL] })
  if (compiled.issues !== undefined) throw new Error(compiled.issues)
  return compiled.program
}

/** Made with the first condition. */
let made: Environment | undefined
function environment(): Environment {
  made ??= kubernetesEnvironment().extend({ variables: { request: SPEC } })
  return made
}

const NO_RESOURCE = { namespace: '', verb: '', group: '', version: '', resource: '', subresource: '', name: '' }

/** With every text there, also those that are empty: expressions need not ask whether they are. */
function whole(spec: JsonObject): JsonObject {
  const { resourceAttributes, nonResourceAttributes } = spec
  return {
    groups: [],
    uid: '',
    extra: {},
    ...spec,
    ...(isJsonObject(resourceAttributes) ? { resourceAttributes: { ...NO_RESOURCE, ...resourceAttributes } } : {}),
    ...(isJsonObject(nonResourceAttributes) ? { nonResourceAttributes: { path: '', verb: '', ...nonResourceAttributes } } : {}),
  }
}
