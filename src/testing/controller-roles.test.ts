import { describe, expect, it } from 'vitest'
import { bootstrapPolicy } from '#apiserver/authorization/rbac/bootstrap-policy.ts'
import { type RbacAuthorizer, rbacAuthorizer } from '#apiserver/authorization/rbac/rbac-authorizer.ts'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import type { NotedRequest } from '#client/fake/noting-client.ts'
import { informers } from '#client/informers/informers.ts'
import { controllers } from '#controllers/controllers.ts'
import { PERTURBATIONS, type Story, tell } from '#controllers/perturbation.fixture.ts'
import { stories } from '#controllers/perturbation-stories.fixture.ts'
import type { Written } from '#controllers/runtime/define-controller.ts'
import { PROCESS } from '#controllers/runtime/test-cluster.ts'
import { accountOf } from '#controllers/service-accounts.ts'
import { ACTS_AS_MANAGER } from '#controllers/start-controllers.ts'
import { Event } from '#kinds/core/v1/event.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { Role } from '#kinds/rbac/v1/role.ts'
import { RoleBinding } from '#kinds/rbac/v1/role-binding.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'

/* Every request of every controller in the stories, held against the roles that every cluster ships. Shared caches are filled by the process. */

/** Whoever acts on objects of any kind, and how. */
const ON_ANYTHING: Readonly<Record<string, string>> = {
  'namespace-controller': 'deletecollection',
  'storage-version-migrator-controller': 'patch',
}

/** Decides by the roles and bindings that ship, and by nothing else. */
async function shippedRoles(): Promise<RbacAuthorizer> {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const policy = bootstrapPolicy({ optional: optionalKinds })
  const shipped: readonly [AnyKind, readonly object[]][] = [
    [ClusterRole, policy.clusterRoles],
    [ClusterRoleBinding, policy.clusterRoleBindings],
    [Role, policy.roles],
    [RoleBinding, policy.roleBindings],
  ]
  for (const [kind, objects] of shipped) for (const object of objects) api.put(kind, structuredClone(object))
  const caches = informers({ client: api.client(), clock, log: silentLogger })
  const rbac = rbacAuthorizer(caches)
  const synced = Promise.all(shipped.map(([kind]) => caches.of(kind).synced()))
  await clock.advance(0)
  await synced
  await caches[Symbol.asyncDispose]()
  return rbac
}

/** Who a controller is: its service account; the process is a user of its own. */
function userOf(controller: string): UserInfo {
  if (controller === PROCESS) return { name: 'system:kube-controller-manager', groups: ['system:authenticated'] }
  const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated']
  return { name: `system:serviceaccount:kube-system:${accountOf(controller)}`, groups }
}

function isAllowed(rbac: RbacAuthorizer, controller: string, { verb, kind, subresource, namespace, name }: NotedRequest): boolean {
  const { group, version, plural: resource } = kind
  const decision = rbac.authorize({ user: userOf(controller), verb, group, version, resource, subresource, namespace, name })
  return (decision as { verdict: string }).verdict === 'allow'
}

/** What a controller says that it writes; those of an odd shape say nothing. */
function writesOf(controller: string): readonly Written[] | undefined {
  const found = controllers.find(({ name }) => name === controller) as { definition?: { writes?: readonly Written[] } } | undefined
  return found?.definition && (found.definition.writes ?? [])
}

const textOf = (controller: string, { verb, kind, subresource }: NotedRequest) =>
  `${controller}: ${verb} ${kind.plural}${subresource && `/${subresource}`}${kind.group && ` of ${kind.group}`}`

type Asked = readonly (readonly [controller: string, request: NotedRequest])[]

const tellings = new Map<Story, Promise<{ undisturbed: Asked; disturbed: Asked }>>()

/** Who asks for what in a story. It is told once, for whichever test is first. */
function askedIn(story: Story): Promise<{ undisturbed: Asked; disturbed: Asked }> {
  const known = tellings.get(story)
  if (known) return known
  const telling = (async () => {
    const undisturbed: [string, NotedRequest][] = []
    const disturbed: [string, NotedRequest][] = []
    const { writes } = await tell(story, undefined, (...one) => undisturbed.push(one))
    // What is asked after a lost answer, a crash or a stale read differs: each comes somewhere into the story.
    for (const [index, what] of PERTURBATIONS.entries())
      await tell(story, { at: Math.floor((writes * (index + 1)) / (PERTURBATIONS.length + 1)), what }, (...one) => disturbed.push(one))
    return { undisturbed, disturbed }
  })()
  tellings.set(story, telling)
  return telling
}

describe('each controller as its own account', () => {
  it.each(stories)(
    'asks for nothing that its role does not allow, disturbed or not: $name',
    async story => {
      const rbac = await shippedRoles()
      const { undisturbed, disturbed } = await askedIn(story)
      const refused = [...undisturbed, ...disturbed].filter(([controller, request]) => !isAllowed(rbac, controller, request))
      expect(new Set(refused.map(one => textOf(...one)))).toEqual(new Set())
    },
    60_000,
  )

  it.each(stories)(
    'writes only what it says it writes: $name',
    async story => {
      const { undisturbed } = await askedIn(story)
      const unsaid = undisturbed.filter(([controller, { verb, kind, subresource }]) => {
        const said = writesOf(controller)
        if (!said || ['get', 'list', 'watch', ON_ANYTHING[controller]].includes(verb) || kind === Event) return false
        return !said.some(one => one.kind === kind && one.subresource === subresource)
      })
      expect(new Set(unsaid.map(one => textOf(...one)))).toEqual(new Set())
    },
    60_000,
  )

  it('was heard of in one of the stories', async () => {
    const heard = new Set<string>()
    for (const story of stories) {
      const { undisturbed, disturbed } = await askedIn(story)
      for (const [controller] of [...undisturbed, ...disturbed]) heard.add(controller)
    }
    expect(controllers.map(({ name }) => name).filter(name => !ACTS_AS_MANAGER.has(name) && !heard.has(name))).toEqual([])
    expect(heard).toContain(PROCESS)
  }, 120_000)

  it('would be refused without the role: an account that is bound to nothing may do nothing of it', async () => {
    const rbac = await shippedRoles()
    const [story] = stories
    let allowed = 0
    let asked = 0
    await tell(story!, undefined, (_, request) => {
      asked++
      if (isAllowed(rbac, 'a-controller-without-role', request)) allowed++
    })
    expect(asked).toBeGreaterThan(50)
    expect(allowed).toBe(0)
  })

  it('has an account to which a role is bound', async () => {
    const policy = bootstrapPolicy({ optional: optionalKinds })
    const bound = new Set(
      [...policy.clusterRoleBindings, ...policy.roleBindings].flatMap(({ subjects = [] }) =>
        subjects.filter(({ kind }) => kind === 'ServiceAccount').map(({ name }) => name),
      ),
    )
    const without = controllers.filter(({ name }) => !ACTS_AS_MANAGER.has(name) && !bound.has(accountOf(name)))
    expect(without.map(({ name }) => name)).toEqual([])
  })
})
