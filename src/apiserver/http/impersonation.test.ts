import { describe, expect, it } from 'vitest'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import type { Exchange } from './exchange.ts'
import { Impersonation, wantsImpersonation } from './impersonation.ts'

/** Allows what is listed as `verb resource name`, with the subresource and the namespace in front of the name. */
function allowing(...allowed: readonly string[]): Authorizer & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    name: 'test',
    asked,
    authorize(attributes) {
      const what = textOf(attributes)
      asked.push(what)
      return { verdict: allowed.includes(what) ? 'allow' : 'no opinion', reason: '' }
    },
  }
}

function textOf(attributes: Attributes): string {
  if ('path' in attributes) return `${attributes.verb} ${attributes.path}`
  const { verb, group, resource, subresource, namespace, name } = attributes
  const full = `${group === '' ? '' : `${group}/`}${resource}${subresource === '' ? '' : `/${subresource}`}`
  return `${verb} ${full} ${namespace === '' ? '' : `${namespace}/`}${name}`.trimEnd()
}

const alice: UserInfo = { name: 'alice', groups: ['devs', 'system:authenticated'] }
const listing = (user: UserInfo): Attributes => ({
  user,
  verb: 'list',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: '',
})

const exchangeWith = (rawHeaders: readonly string[]) => ({ rawHeaders }) as unknown as Exchange
const as = (authorizer: Authorizer, rawHeaders: readonly string[], user = alice) =>
  new Impersonation(authorizer).impersonate(exchangeWith(rawHeaders), listing(user))

const AUTHN = 'authentication.k8s.io'

describe('impersonation', () => {
  it('by the old verb needs each part of the user', async () => {
    const authorizer = allowing(
      'impersonate users bob',
      `impersonate ${AUTHN}/uids u1`,
      'impersonate groups g,h',
      `impersonate ${AUTHN}/userextras/scopes a`,
    )
    const raw = ['Impersonate-User', 'bob', 'Impersonate-Uid', 'u1', 'Impersonate-Group', 'g,h', 'Impersonate-Extra-Scopes', 'a']
    expect(await as(authorizer, raw)).toEqual({
      user: { name: 'bob', uid: 'u1', groups: ['g,h', 'system:authenticated'], extra: { scopes: ['a'] } },
      constraint: '',
    })
    await expect(as(allowing('impersonate users bob'), raw)).rejects.toThrow('cannot impersonate-on:user-info:list resource "pods"')
  })

  it('constrained to what is done needs that, and the user', async () => {
    const authorizer = allowing('impersonate-on:user-info:list pods default/', `impersonate:user-info ${AUTHN}/users bob`)
    expect(await as(authorizer, ['Impersonate-User', 'bob'])).toMatchObject({ constraint: 'impersonate:user-info' })
    const only = allowing('impersonate-on:user-info:list pods default/')
    await expect(as(only, ['Impersonate-User', 'bob'])).rejects.toThrow('users.authentication.k8s.io "bob" is forbidden')
  })

  it('constrained never gives everything', async () => {
    const allowed = [
      'impersonate-on:user-info:list pods default/',
      `impersonate:user-info ${AUTHN}/users bob`,
      `impersonate:user-info ${AUTHN}/groups system:masters`,
      `impersonate:user-info ${AUTHN}/groups *`,
    ]
    await expect(as(allowing(...allowed), ['Impersonate-User', 'bob', 'Impersonate-Group', 'system:masters'])).rejects.toThrow(
      'impersonating the system:masters group is not allowed',
    )
  })

  it('of a service account gives its groups', async () => {
    const name = 'system:serviceaccount:kube-system:default'
    const authorizer = allowing(
      'impersonate-on:serviceaccount:list pods default/',
      `impersonate:serviceaccount ${AUTHN}/serviceaccounts kube-system/default`,
    )
    const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated']
    expect(await as(authorizer, ['Impersonate-User', name])).toEqual({ user: { name, groups }, constraint: 'impersonate:serviceaccount' })
    expect(await as(allowing('impersonate serviceaccounts kube-system/default'), ['Impersonate-User', name])).toMatchObject({
      user: { groups },
    })
  })

  it('of a name that only looks like a service account needs the user', async () => {
    await expect(as(allowing('impersonate serviceaccounts A/b'), ['Impersonate-User', 'system:serviceaccount:A:b'])).rejects.toThrow()
    expect(
      await as(allowing('impersonate users system:serviceaccount:A:b'), ['Impersonate-User', 'system:serviceaccount:A:b']),
    ).toBeDefined()
  })

  it('lets a pod act as its own node, and as no other', async () => {
    const agent: UserInfo = {
      name: 'system:serviceaccount:kube-system:agent',
      groups: [],
      extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
    }
    const allowed = ['impersonate-on:associated-node:list pods default/', `impersonate:associated-node ${AUTHN}/nodes *`]
    expect(await as(allowing(...allowed), ['Impersonate-User', 'system:node:n1'], agent)).toEqual({
      user: { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
      constraint: 'impersonate:associated-node',
    })
    await expect(as(allowing(...allowed), ['Impersonate-User', 'system:node:n2'], agent)).rejects.toThrow('is forbidden')
  })

  it('tries first what succeeded last, and tells why that failed', async () => {
    const authorizer = allowing('impersonate users bob')
    const impersonation = new Impersonation(authorizer)
    await impersonation.impersonate(exchangeWith(['Impersonate-User', 'bob']), listing(alice))
    await expect(impersonation.impersonate(exchangeWith(['Impersonate-User', 'carol']), listing(alice))).rejects.toThrow(
      'users "carol" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
  })

  it('needs a user for a group', async () => {
    await expect(as(allowing(), ['Impersonate-Group', 'g'])).rejects.toThrow(
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    )
  })

  it('as nobody is anonymous', async () => {
    const authorizer = allowing('impersonate users system:anonymous')
    expect(await as(authorizer, ['Impersonate-User', 'system:anonymous'])).toMatchObject({ user: { groups: ['system:unauthenticated'] } })
  })

  it('is looked for in every header that may ask for it', () => {
    expect(wantsImpersonation({ 'impersonate-extra-x': 'y' })).toBe(true)
    expect(wantsImpersonation({ accept: '*/*' })).toBe(false)
  })
})
