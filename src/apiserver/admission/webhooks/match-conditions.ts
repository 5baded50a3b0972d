import { MATCH_CONDITIONS_COST_BUDGET } from '#machinery/cel/kubernetes-environment.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import { AccessAnswers, waitingFor } from '../policies/access-answers.ts'
import { admissionBindings, type Matched } from '../policies/admission-bindings.ts'
import { type Conditions, compileConditions, holdAll } from '../policies/conditions.ts'
import { CostBudget, OutOfBudget } from '../policies/expressions.ts'
import type { Hook } from './hooks.ts'

const compiled = new WeakMap<Hook['webhook'], Conditions>()

/**
 * Whether a webhook is asked about a request that it matches: all its match conditions hold. Where that cannot be said, its failure policy
 * decides: it is not asked, or the request is refused.
 */
export function meetsConditions({ webhook }: Hook, matched: Matched, authorizer: Authorizer): boolean | Promise<boolean> {
  if (!webhook.matchConditions?.length) return true
  let conditions = compiled.get(webhook)
  if (!conditions) {
    conditions = compileConditions(webhook.matchConditions)
    compiled.set(webhook, conditions)
  }
  return meetsAll(conditions, matched, authorizer, webhook.failurePolicy === 'Ignore')
}

async function meetsAll(conditions: Conditions, matched: Matched, authorizer: Authorizer, failsOpen: boolean): Promise<boolean> {
  const { request } = matched
  const bindings = admissionBindings(matched, undefined, new AccessAnswers(authorizer, request.user))
  const holds = await waitingFor(() => outcomeOf(conditions, bindings))
  if (typeof holds === 'boolean') return holds
  if (failsOpen) return false
  throw forbidden({ group: request.kind.group, resource: request.kind.plural }, request.name, holds.error)
}

function outcomeOf(conditions: Conditions, bindings: ReturnType<typeof admissionBindings>): ReturnType<typeof holdAll> {
  try {
    return holdAll(conditions, bindings, new CostBudget(MATCH_CONDITIONS_COST_BUDGET))
  } catch (error) {
    if (error instanceof OutOfBudget) return { error: error.message }
    throw error
  }
}
