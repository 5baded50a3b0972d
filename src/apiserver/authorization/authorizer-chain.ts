import type { Attributes, Authorizer, Decision, ResolvedRules } from './authorizer.ts'

/**
 * Asks one authorizer after the other: the first that allows or denies decides. The reasons of those without opinion are kept. A function may
 * tell which ones there are at the moment; a question is put to those of when it was asked.
 */
export function authorizerChain(authorizers: readonly Authorizer[] | (() => readonly Authorizer[])): Authorizer {
  const current = typeof authorizers === 'function' ? authorizers : () => authorizers
  return {
    name: 'chain',
    authorize: attributes => askFrom(current(), 0, attributes, []),
    rulesFor(user, namespace) {
      const resolved = current().map(authorizer => authorizer.rulesFor?.(user, namespace))
      const known = resolved.filter((rules): rules is ResolvedRules => rules !== undefined)
      const problems = known.flatMap(({ problem }) => problem ?? [])
      return {
        resourceRules: known.flatMap(rules => rules.resourceRules),
        nonResourceRules: known.flatMap(rules => rules.nonResourceRules),
        incomplete: known.some(rules => rules.incomplete),
        ...(problems.length > 0 ? { problem: problems.length === 1 ? problems[0] : `[${problems.join(', ')}]` } : {}),
      }
    },
  }
}

/** Stays synchronous as long as the authorizers do: a decision from memory costs no turn of the event loop. */
function askFrom(
  authorizers: readonly Authorizer[],
  start: number,
  attributes: Attributes,
  reasons: string[],
): Decision | Promise<Decision> {
  for (let index = start; index < authorizers.length; index++) {
    const decision = authorizers[index]!.authorize(attributes)
    if (decision instanceof Promise) {
      return decision.then(settled => (isFinal(settled, reasons) ? settled : askFrom(authorizers, index + 1, attributes, reasons)))
    }
    if (isFinal(decision, reasons)) return decision
  }
  return { verdict: 'no opinion', reason: reasons.join('\n') }
}

function isFinal(decision: Decision, reasons: string[]): boolean {
  if (decision.verdict !== 'no opinion') return true
  if (decision.reason !== '') reasons.push(decision.reason)
  return false
}
