import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import type { AskReview } from '../webhooks/review-webhook.ts'
import type { Attributes, Authorizer, Decision } from './authorizer.ts'

export interface WebhookAuthorizerOptions {
  /** Among authorizers; default: `Webhook`. */
  readonly name?: string
  readonly ask: AskReview
  readonly clock: Clock
  readonly log: Logger
  /** Of the SubjectAccessReview. */
  readonly version?: 'v1' | 'v1beta1'
  /** How long a yes counts, and everything else; 0: not at all. */
  readonly authorizedMs: number
  readonly unauthorizedMs: number
  /** What counts while the webhook cannot be asked; default: others decide. */
  readonly onFailure?: 'no opinion' | 'deny'
  /** Whether the webhook is asked about a review (its spec, in v1) at all; it may reject, which counts as a failure. */
  readonly matches?: (spec: JsonObject) => boolean | Promise<boolean>
}

/** Longer questions are not remembered: they would be somebody's way to fill the memory. */
const KEPT_CHARACTERS = 10_000
const KEPT_LIMIT = 8192

/** Asks a webhook by SubjectAccessReviews, and remembers what it said. Allowing and denying both is a failure. */
export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer {
  const { ask, clock, log, version = 'v1', authorizedMs, unauthorizedMs, onFailure = 'no opinion', matches } = options
  const kept = new Map<string, { readonly decision: Decision; readonly until: number }>()
  const decide = async (spec: JsonObject): Promise<Decision> => {
    const answer = await ask({
      kind: 'SubjectAccessReview',
      apiVersion: `authorization.k8s.io/${version}`,
      metadata: {},
      spec: specIn(spec, version),
    })
    return decisionOf(isJsonObject(answer['status']) ? answer['status'] : {})
  }
  return {
    name: options.name ?? 'Webhook',
    async authorize(attributes) {
      const spec = specOf(attributes)
      try {
        if (matches && !(await matches(spec))) return { verdict: 'no opinion', reason: '' }
        const key = JSON.stringify(spec)
        const known = kept.get(key)
        if (known && clock.monotonic() < known.until) return known.decision
        const decision = await decide(spec)
        const keptMs = decision.verdict === 'allow' ? authorizedMs : unauthorizedMs
        if (keptMs > 0 && key.length <= KEPT_CHARACTERS) {
          if (kept.size >= KEPT_LIMIT) kept.clear()
          kept.set(key, { decision, until: clock.monotonic() + keptMs })
        }
        return decision
      } catch (error) {
        log.warn('the authorization webhook could not be asked', {
          authorizer: options.name ?? 'Webhook',
          reason: (error as Error).message,
        })
        return { verdict: onFailure, reason: '' }
      }
    },
    // It cannot be asked for all that somebody may do.
    rulesFor: () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      problem: 'webhook authorizer does not support user rule resolution',
    }),
  }
}

/** What a review asks, as `SubjectAccessReviewSpec` has it in v1. */
function specOf(attributes: Attributes): JsonObject {
  const { name, uid, groups, extra } = attributes.user
  const user = {
    user: name,
    ...(groups.length > 0 ? { groups } : {}),
    ...(extra ? { extra } : {}),
    ...(uid ? { uid } : {}),
  }
  if ('path' in attributes) return { nonResourceAttributes: { path: attributes.path, verb: attributes.verb }, ...user }
  const { namespace, verb, group, version, resource, subresource, fieldSelector, labelSelector } = attributes
  const all = { namespace, verb, group, version, resource, subresource, name: attributes.name }
  return {
    resourceAttributes: {
      ...Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      ...(fieldSelector ? { fieldSelector: fieldRequirements(fieldSelector) } : {}),
      ...(labelSelector ? { labelSelector: labelRequirements(labelSelector) } : {}),
    },
    ...user,
  }
}

/** What cannot be read is passed on as text. */
function fieldRequirements(selector: string): object {
  const requirements = selector.split(',').map(part => /^([^=!]+)(==?|!=)(.*)$/.exec(part))
  if (requirements.some(one => one === null || one[3]!.includes('\\'))) return { rawSelector: selector }
  return {
    requirements: requirements.map(one => ({ key: one![1], operator: one![2] === '!=' ? 'NotIn' : 'In', values: [one![3]] })),
  }
}

function labelRequirements(selector: string): object {
  try {
    const { requirements } = parseLabelSelector(selector)
    return {
      requirements: requirements.flatMap(({ key, operator, values }) => {
        const named = OPERATORS[operator]
        return named ? [{ key, operator: named, ...(values.length > 0 ? { values } : {}) }] : []
      }),
    }
  } catch {
    return { rawSelector: selector }
  }
}

const OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
}

function specIn({ groups, ...spec }: JsonObject, version: 'v1' | 'v1beta1'): JsonObject {
  if (groups === undefined) return spec
  return version === 'v1' ? { ...spec, groups } : { ...spec, group: groups }
}

function decisionOf({ allowed, denied, reason }: JsonObject): Decision {
  const why = typeof reason === 'string' ? reason : ''
  if (denied === true && allowed === true) throw new Error('webhook subject access review returned both allow and deny response')
  if (denied === true) return { verdict: 'deny', reason: why }
  return { verdict: allowed === true ? 'allow' : 'no opinion', reason: why }
}
