import type { UserInfo } from '#client/direct/api-handler.ts'
import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { quote } from '#machinery/status/go-text.ts'
import { refusal } from '../access.ts'
import { ANONYMOUS, AUTHENTICATED, UNAUTHENTICATED } from '../authentication/authenticator-chain.ts'
import type { Attributes, Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'

/** Whom a request is taken for. */
export interface Impersonated {
  readonly user: UserInfo
  /** The verb that allowed it; '' for the old `impersonate`, which is not constrained to what is done. */
  readonly constraint: string
}

/** One way in which a user may be impersonated. */
export interface ImpersonationMode {
  /** The user, groups completed; undefined if this is no way to impersonate such a user. Rejects with 403. */
  check(wanted: UserInfo, attributes: Attributes): Promise<Impersonated | undefined>
}

const GROUP = 'authentication.k8s.io'
const NODE_NAME = 'authentication.kubernetes.io/node-name'

/** All ways, the most constrained first (KEP-5284), the old one last. */
export function impersonationModes(authorizer: Authorizer): readonly ImpersonationMode[] {
  return [
    associatedNode(authorizer),
    constrained(authorizer, 'arbitrary-node', wanted => isOnlyName(wanted) && nodeOf(wanted.name) !== undefined),
    constrained(authorizer, 'serviceaccount', wanted => isOnlyName(wanted) && accountOf(wanted.name) !== undefined),
    constrained(authorizer, 'user-info', wanted => nodeOf(wanted.name) === undefined && accountOf(wanted.name) === undefined),
    { check: async (wanted, { user }) => ({ user: await confirmed(authorizer, 'impersonate', wanted, user), constraint: '' }) },
  ]
}

/** Needs two permissions: to impersonate such a user at all, and to do by it what the request does. */
function constrained(
  authorizer: Authorizer,
  mode: string,
  isFor: (wanted: UserInfo, requester: UserInfo) => boolean,
  seen: (attributes: Attributes) => Attributes = attributes => attributes,
): ImpersonationMode {
  const verb = `impersonate:${mode}`
  const asSeen: Authorizer = { ...authorizer, authorize: attributes => authorizer.authorize(seen(attributes)) }
  return {
    async check(wanted, attributes) {
      if (!isFor(wanted, attributes.user)) return undefined
      await must(authorizer, seen({ ...attributes, verb: `impersonate-on:${mode}:${attributes.verb}` }))
      return { user: await confirmed(asSeen, verb, wanted, attributes.user), constraint: verb }
    },
  }
}

/** A service account may act as the node that its own pod runs on: the permission is one for all nodes, and what tells them apart is left out. */
function associatedNode(authorizer: Authorizer): ImpersonationMode {
  const isOwnNode = (wanted: UserInfo, requester: UserInfo) => {
    const node = nodeOf(wanted.name)
    const own = requester.extra?.[NODE_NAME]
    return node !== undefined && isOnlyName(wanted) && accountOf(requester.name) !== undefined && own?.length === 1 && own[0] === node
  }
  return constrained(authorizer, 'associated-node', isOwnNode, attributes => {
    const { user, verb } = attributes
    const keys = Object.keys(user.extra ?? {}).sort()
    const seen = { ...attributes, user: { ...user, extra: { 'authentication.kubernetes.io/associated-node-keys': keys } } }
    return 'resource' in seen && verb === 'impersonate:associated-node' ? { ...seen, name: '*' } : seen
  })
}

/** The wanted user with the groups that belong to it, once every part of it is allowed to the requester. */
async function confirmed(authorizer: Authorizer, verb: string, wanted: UserInfo, requester: UserInfo): Promise<UserInfo> {
  const isOld = verb === 'impersonate'
  const ask = { user: requester, verb, version: 'v1', subresource: '', namespace: '' }
  const group = isOld ? '' : GROUP
  const node = isOld ? undefined : nodeOf(wanted.name)
  const account = accountOf(wanted.name)
  if (node !== undefined) await must(authorizer, { ...ask, group, resource: 'nodes', name: node })
  else if (account) await must(authorizer, { ...ask, group, resource: 'serviceaccounts', ...account })
  else await must(authorizer, { ...ask, group, resource: 'users', name: wanted.name })
  if (wanted.uid) await must(authorizer, { ...ask, group: GROUP, resource: 'uids', name: wanted.uid })
  await confirmGroups(authorizer, { ...ask, group, resource: 'groups', name: '' }, wanted.groups, isOld)
  await confirmExtra(authorizer, { ...ask, group: GROUP, resource: 'userextras', name: '' }, wanted.extra ?? {}, isOld)
  const own = node === undefined ? wanted.groups : ['system:nodes']
  const groups = account && own.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`] : [...own]
  if (wanted.name === ANONYMOUS.name) add(groups, UNAUTHENTICATED)
  else if (!groups.includes(UNAUTHENTICATED)) add(groups, AUTHENTICATED)
  return { ...wanted, groups }
}

/** From so many on it is asked first whether all are allowed. */
const MANY = 4

async function confirmGroups(authorizer: Authorizer, ask: ResourceAttributes, groups: readonly string[], isOld: boolean): Promise<void> {
  if (!isOld && groups.includes('')) throw refusal(ask, 'impersonating the empty string group is not allowed')
  if (!isOld && groups.includes('system:masters')) {
    throw refusal({ ...ask, name: 'system:masters' }, 'impersonating the system:masters group is not allowed')
  }
  if (!isOld && groups.length >= MANY && (await may(authorizer, { ...ask, name: '*' }))) return
  for (const name of groups) await must(authorizer, { ...ask, name })
}

async function confirmExtra(
  authorizer: Authorizer,
  ask: ResourceAttributes,
  extra: Readonly<Record<string, readonly string[]>>,
  isOld: boolean,
): Promise<void> {
  const facts = Object.entries(extra)
  const wrong = isOld ? undefined : facts.map(([key, values]) => extraProblem(key, values)).find(Boolean)
  if (wrong) throw refusal(ask, wrong)
  const isMany = facts.length >= MANY || facts.reduce((sum, [, values]) => sum + values.length, 0) >= MANY
  if (!isOld && isMany && (await may(authorizer, { ...ask, subresource: '*', name: '*' }))) return
  for (const [subresource, values] of facts) for (const name of values) await must(authorizer, { ...ask, subresource, name })
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed'
  const slash = key.indexOf('/')
  if (slash <= 0 || slash === key.length - 1 || isDNS1123Subdomain(key.slice(0, slash)).length > 0) {
    return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${quote(key)}: must be a domain-prefixed path (such as "acme.io/foo")`
  }
  if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${quote(key)}`
  if (values.length === 0) return 'impersonating empty values in extra is not allowed'
  return values.includes('') ? 'impersonating the empty string value in extra is not allowed' : undefined
}

async function may(authorizer: Authorizer, attributes: Attributes): Promise<boolean> {
  return (await authorizer.authorize(attributes)).verdict === 'allow'
}

async function must(authorizer: Authorizer, attributes: Attributes): Promise<void> {
  const { verdict, reason } = await authorizer.authorize(attributes)
  if (verdict !== 'allow') throw refusal(attributes, reason)
}

const NODE = 'system:node:'

/** The node of a user `system:node:<node>`. */
function nodeOf(user: string): string | undefined {
  if (!user.startsWith(NODE)) return undefined
  const name = user.slice(NODE.length)
  return isDNS1123Subdomain(name).length === 0 ? name : undefined
}

/** The account of a user `system:serviceaccount:<namespace>:<name>`. */
function accountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace = '', name = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? []
  return namespace !== '' && isDNS1123Label(namespace).length === 0 && isDNS1123Subdomain(name).length === 0
    ? { namespace, name }
    : undefined
}

function isOnlyName({ uid, groups, extra }: UserInfo): boolean {
  return !uid && groups.length === 0 && Object.keys(extra ?? {}).length === 0
}

function add(groups: string[], group: string): void {
  if (!groups.includes(group)) groups.push(group)
}
