/**
 * What it costs to find out who asks and whether they may: `node tools/bench.mjs access`. One core, medians of batches, µs of CPU each. A thousand
 * bindings of a hundred roles; the request's filters stand around a handler that does nothing but ask whether the request may be.
 */
import { createHash } from 'node:crypto'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import { decode } from '#machinery/schema/decode.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { checkAccess } from '../src/apiserver/access.ts'
import { Audit } from '../src/apiserver/audit/audit.ts'
import { AuditPolicy } from '../src/apiserver/audit/audit-policy.ts'
import { logSink } from '../src/apiserver/audit/log-sink.ts'
import { authenticatorChain } from '../src/apiserver/authentication/authenticator-chain.ts'
import { tokenCache } from '../src/apiserver/authentication/token-cache.ts'
import { tokenFileAuthenticator } from '../src/apiserver/authentication/token-file.ts'
import type { ResourceAttributes } from '../src/apiserver/authorization/authorizer.ts'
import { authorizerChain } from '../src/apiserver/authorization/authorizer-chain.ts'
import { nodeAuthorizer } from '../src/apiserver/authorization/node/node-authorizer.ts'
import { privilegedGroup } from '../src/apiserver/authorization/privileged-group.ts'
import { rbacAuthorizer } from '../src/apiserver/authorization/rbac/rbac-authorizer.ts'
import { PriorityAndFairness } from '../src/apiserver/flow-control/priority-and-fairness.ts'
import type { Handler } from '../src/apiserver/handler.ts'
import type { Connection, Exchange } from '../src/apiserver/http/exchange.ts'
import { Front } from '../src/apiserver/http/front.ts'
import { Identification } from '../src/apiserver/http/identification.ts'
import { ServerMetrics } from '../src/apiserver/http/metrics.ts'
import type { RequestContext } from '../src/apiserver/http/request-context.ts'
import type { ResourceRequestInfo } from '../src/apiserver/http/request-info.ts'
import { assembleApiServer } from '../src/cluster/components/assembled-api-server.ts'
import { Pod } from '../src/kinds/core/v1/pod.ts'
import { FlowSchema } from '../src/kinds/flowcontrol/v1/flow-schema.ts'
import { PriorityLevelConfiguration } from '../src/kinds/flowcontrol/v1/priority-level-configuration.ts'
import type { AnyKind } from '../src/machinery/kind/kind.ts'
import { kindRegistry } from '../src/machinery/kind/kind-registry.ts'

const BATCH = 2000
const BATCHES = 31
const BINDINGS = 1000
const ROLES = 100

const clock = realClock()
const rules = (role: number) => [
  { apiGroups: ['apps'], resources: ['deployments', 'statefulsets'], verbs: ['get', 'list', 'watch', 'update'] },
  { apiGroups: [''], resources: ['pods', 'services', 'configmaps'], verbs: ['get', 'list', 'watch'], resourceNames: [`of-${role}`] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch', 'create'] },
]
const objects: Readonly<Record<string, readonly object[]>> = {
  ClusterRole: Array.from({ length: ROLES }, (_, role) => ({ metadata: { name: `role-${role}` }, rules: rules(role) })),
  RoleBinding: Array.from({ length: BINDINGS }, (_, index) => ({
    metadata: { name: `binding-${index}`, namespace: `ns-${index % 50}` },
    subjects: [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: `user-${index % 200}` },
      { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: `team-${index % 20}` },
    ],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `role-${index % ROLES}` },
  })),
}
/** A client whose lists never change. */
const still = {
  list: async (kind: AnyKind) => ({
    metadata: { resourceVersion: '1' },
    items: (objects[kind.kind] ?? []).map(object => decode(kind.schema, object, { defaults: true, unknown: [] })),
  }),
  watch: () => ({ [Symbol.dispose]() {} }),
} as unknown as Client

const shared = informers({ client: still, clock, log: silentLogger })
const authorizer = authorizerChain([privilegedGroup(), nodeAuthorizer(shared), rbacAuthorizer(shared)])
await shared.synced()

const user = (n: number) => ({ name: `user-${n % 200}`, groups: [`team-${n % 20}`, 'system:authenticated'] })
const asks = (n: number): ResourceAttributes => ({
  user: user(n),
  verb: 'get',
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: `ns-${n % 50}`,
  name: `pod-${n}`,
})
const known = Array.from({ length: 500 }, (_, n) => asks(n))

console.log('| work | µs of CPU each |\n|---|---|')
await row('a decision that was made before, 1,000 bindings', n => void authorizer.authorize(known[n % known.length]!))
let fresh = 0
await row('a decision that was not, 1,000 bindings', () => void authorizer.authorize(asks(fresh++)))

/** Priority and fairness over the levels that every server ships. */
const shipping = await assembleApiServer({
  store: new MemoryStore({ clock }),
  clock,
  random: seededRandom(1),
  log: silentLogger,
  authorizers: [],
  admission: { enabled: [], disabled: [] },
  serviceCIDRs: ['10.96.0.0/16'],
  nodePortRange: '30000-32767',
  serviceAccounts: undefined,
})
await shipping.shipObjects({ advertiseAddress: undefined, securePort: 6443 })
const { objects: stored } = (shipping.server.handler as Handler).core
const gate = new PriorityAndFairness({
  clock,
  loop: { afterThis: callback => process.nextTick(callback), afterOthers: callback => void setImmediate(callback) },
  schemas: stored.cacheOf(FlowSchema),
  levels: stored.cacheOf(PriorityLevelConfiguration),
  totalSeats: 600,
})

const digest = (text: string) => createHash('sha256').update(text).digest('base64')
const tokens = tokenFileAuthenticator('token-1,user-1,u1,"team-1"\n', digest)
const identification = () =>
  new Identification({ authenticator: authenticatorChain([tokenCache(tokens, clock, digest)], silentLogger), anonymous: true, clock })
const front = (audit?: Audit) =>
  new Front({
    identification: identification(),
    authorizer,
    clock,
    random: seededRandom(1),
    log: { ...silentLogger, error: (message, fields) => console.error(message, fields) },
    protobuf: {} as never,
    resources: {
      isKnown: () => true,
      async serve(context: RequestContext, { namespace, name }: ResourceRequestInfo) {
        await checkAccess(authorizer, context.caller(), { verb: 'get', kind: Pod, subresource: '', namespace, name })
        context.send(200, { bytes: BODY, contentType: 'application/json' })
      },
    } as never,
    moments: undefined,
    paths: { isServed: () => true } as never,
    gate,
    requestTimeoutMs: 60_000,
    metrics: new ServerMetrics(
      () => [],
      () => ({ reads: 0, writes: 0 }),
      [],
      kindRegistry([]),
    ),
    audit,
  })

const BODY = new TextEncoder().encode('{}')
const connection: Connection = { remoteAddress: '127.0.0.1', certificate: undefined, memory: new Map(), trust() {} }
const headers = { authorization: 'Bearer token-1', 'user-agent': 'bench/1', accept: 'application/json' }
const rawHeaders = Object.entries(headers).flat()
const exchangeOf = (n: number): Exchange =>
  ({
    method: 'GET',
    path: `/api/v1/namespaces/ns-1/pods/pod-${n % 500}`,
    query: '',
    headers,
    rawHeaders,
    connection,
    answer(status: number) {
      if (status !== 200) throw new Error(`a request was answered with ${status}`)
    },
    onAbort() {},
  }) as unknown as Exchange

const policy = (level: string) =>
  decode(
    AuditPolicy,
    { omitStages: ['RequestReceived'], rules: [{ level: 'None', verbs: ['watch'] }, { level }] },
    { defaults: true, unknown: [] },
  ) as AuditPolicy
let written = 0
const sink = logSink({
  async append(text) {
    written += text.length
  },
  async close() {},
})
const plain = front()
await row("a request's filters: who, what, whether, count", n => plain.serve(exchangeOf(n)))
const none = front(new Audit({ policy: policy('None'), sinks: [{ sink, mode: 'batch' }], clock, log: silentLogger }))
await row('the same, audited by a policy that records nothing of it', n => none.serve(exchangeOf(n)))
const metadata = front(new Audit({ policy: policy('Metadata'), sinks: [{ sink, mode: 'batch' }], clock, log: silentLogger }))
await row('the same, recorded as one line of JSON (without the disk)', n => metadata.serve(exchangeOf(n)))
await shared[Symbol.asyncDispose]()
if (written === 0) throw new Error('nothing was recorded')
process.exit(0)

async function row(work: string, act: (n: number) => void | Promise<void>): Promise<void> {
  const times: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = process.cpuUsage()
    for (let n = 0; n < BATCH; n++) {
      const pending = act(n)
      if (pending) await pending
    }
    const { user: own, system } = process.cpuUsage(start)
    times.push((own + system) / BATCH)
  }
  times.sort((a, b) => a - b)
  console.log(`| ${work} | ${times[Math.floor(BATCHES / 2)]!.toFixed(2)} |`)
}
