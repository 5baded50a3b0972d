import { Environment } from '#base/languages/cel/environment.ts'
import { TWO_VARIABLE_COMPREHENSIONS } from '#base/languages/cel/library/comprehensions.ts'
import { OPTIONAL_LIBRARY } from '#base/languages/cel/library/optional.ts'
import { SETS_LIBRARY } from '#base/languages/cel/library/sets.ts'
import { stringsLibrary } from '#base/languages/cel/library/strings.ts'
import { LITERAL_VALIDATORS } from '#base/languages/cel/validators.ts'
import { KUBERNETES_COSTS } from './costs.ts'
import { AUTHORIZER_LIBRARY } from './library/authorizer.ts'
import { CIDR_LIBRARY } from './library/cidr.ts'
import { FORMAT_LIBRARY } from './library/format.ts'
import { IP_LIBRARY } from './library/ip.ts'
import { LISTS_LIBRARY } from './library/lists.ts'
import { QUANTITY_LIBRARY } from './library/quantity.ts'
import { REGEX_LIBRARY } from './library/regex.ts'
import { SEMVER_LIBRARY } from './library/semver.ts'
import { URLS_LIBRARY } from './library/urls.ts'

/**
 * The environment in which Kubernetes 1.36 compiles every expression: CEL's standard library, optional types, cel-go's extensions that
 * upstream turns on, and Kubernetes' own libraries. No variables: extend it.
 *
 * ```ts
 * const compiled = kubernetesEnvironment().extend({ variables: { self: STRING } }).compile("self.startsWith('a')", { expects: [BOOL] })
 * if (compiled.issues !== undefined) errors.invalid(path, rule, `compilation failed: ${compiled.issues}`)
 * else compiled.program.evaluate({ self: 'abc' }, PER_CALL_COST_LIMIT) // { value: true, cost: 2 }
 * ```
 */
export function kubernetesEnvironment(): Environment {
  environment ??= Environment.standard.extend({
    libraries: [
      OPTIONAL_LIBRARY,
      stringsLibrary('localized'),
      SETS_LIBRARY,
      TWO_VARIABLE_COMPREHENSIONS,
      URLS_LIBRARY,
      REGEX_LIBRARY,
      LISTS_LIBRARY,
      AUTHORIZER_LIBRARY,
      QUANTITY_LIBRARY,
      IP_LIBRARY,
      CIDR_LIBRARY,
      FORMAT_LIBRARY,
      SEMVER_LIBRARY,
    ],
    costs: KUBERNETES_COSTS,
    validators: LITERAL_VALIDATORS,
  })
  return environment
}

/** Made when it is first asked for: a process that compiles no expression does not pay for it. */
let environment: Environment | undefined

/** What one evaluation may cost (upstream's `PerCallLimit`). */
export const PER_CALL_COST_LIMIT = 1_000_000
/** What all evaluations of one policy, webhook configuration or custom resource may cost together (`RuntimeCELCostBudget`). */
export const RUNTIME_COST_BUDGET = 10_000_000
/** What the match conditions of one webhook may cost together (`RuntimeCELCostBudgetMatchConditions`). */
export const MATCH_CONDITIONS_COST_BUDGET = 2_500_000
