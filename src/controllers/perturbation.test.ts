import { describe, expect, it } from 'vitest'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady, isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { daemonSetController } from './daemonset.ts'
import { nodeNameOf } from './daemonset-pod.ts'
import { deploymentController } from './deployment.ts'
import { endpointsController } from './endpoints.ts'
import { endpointSliceController } from './endpointslice.ts'
import { garbageCollectorController } from './garbage-collector.ts'
import { jobController } from './job.ts'
import { namespaceController } from './namespace.ts'
import { replicaSetController } from './replicaset.ts'
import { deployment, markReady, podTemplate } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { statefulSetController } from './statefulset.ts'

/** 1 disturbs every write. */
const STRIDE = 8

const all = [
  deploymentController,
  replicaSetController,
  statefulSetController,
  daemonSetController,
  jobController,
  endpointsController,
  endpointSliceController,
  garbageCollectorController,
  namespaceController,
  serviceAccountController,
]

const meta = (name: string) => ({ name, namespace: 'default' })
const selector = (app: string) => ({ selector: { matchLabels: { app } } })
const jobTemplate = {
  metadata: { labels: { app: 'task' } },
  spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] },
}

/** What users do, in two steps with a rest between. */
const steps: ((cluster: TestCluster) => void)[] = [
  ({ api }) => {
    for (const name of ['n1', 'n2']) api.put(Node, { metadata: { name } })
    api.put(Namespace, { metadata: { name: 'shop' } })
    api.put(Deployment, deployment('web', 3))
    api.put(StatefulSet, { metadata: meta('db'), spec: { replicas: 2, serviceName: 'db', ...selector('db'), template: podTemplate('db') } })
    api.put(DaemonSet, { metadata: meta('agent'), spec: { ...selector('agent'), template: podTemplate('agent') } })
    api.put(Job, {
      metadata: meta('task'),
      spec: {
        completions: 2,
        parallelism: 2,
        backoffLimit: 6,
        podReplacementPolicy: 'TerminatingOrFailed',
        ...selector('task'),
        template: jobTemplate,
      },
    })
    api.put(Service, {
      metadata: meta('web'),
      spec: { selector: { app: 'web' }, clusterIP: '10.0.0.1', ipFamilies: ['IPv4'], ports: [{ port: 80, targetPort: 8080 }] },
    })
  },
  cluster => {
    cluster.api.change(Deployment, 'web', next => {
      next.spec.template.spec.containers[0]!.image = 'web:2'
    })
    cluster.api.change(StatefulSet, 'db', next => {
      next.spec.template.spec.containers[0]!.image = 'db:2'
    })
    cluster.api.remove(DaemonSet, 'agent')
    cluster.api.change(
      Namespace,
      'shop',
      next => {
        next.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
        next.status.phase = 'Terminating'
      },
      '',
    )
  },
]

/** What scheduler and kubelets do. */
function runPods({ api, clock }: TestCluster): void {
  for (const pod of api.all(Pod)) {
    const name = pod.metadata.name!
    if (isTerminal(pod)) continue
    if (pod.metadata.deletionTimestamp) {
      if (!pod.metadata.finalizers?.length) api.remove(Pod, name)
    } else if (pod.metadata.labels?.['app'] === 'task')
      api.change(Pod, name, next => {
        next.status.phase = 'Succeeded'
      })
    else if (!isReady(pod)) {
      api.change(Pod, name, next => {
        next.spec.nodeName = nodeNameOf(pod) || 'n1'
        next.status.podIP = `10.1.0.${name.length}`
      })
      markReady({ api, clock }, api.find(Pod, name)!)
    }
  }
}

const crashed = () => {
  throw new Error('the process is gone')
}

interface Perturbation {
  /** After the write of this number, counted over the whole run … */
  readonly at: number
  /** … the controllers end and others start; the answer is lost; the caches stand still for a while; every watch breaks. */
  readonly what: 'crash' | 'lost answer' | 'stale cache' | 'broken watches'
}

/** Runs the story to its end; the summary says nothing of names that chance has made. */
async function tell(perturbation?: Perturbation): Promise<{ summary: unknown; writes: number }> {
  let cluster = testCluster(all)
  const { api } = cluster
  let writes = 0
  let isDue = false
  api.faults = {
    after({ kind }) {
      if (kind === 'Event') return
      if (writes++ !== perturbation?.at) return
      if (perturbation.what === 'lost answer') throw new Error('connection lost')
      isDue = true
      // Whoever has crashed does nothing more.
      if (perturbation.what === 'crash') api.faults = { before: crashed }
      if (perturbation.what === 'stale cache') api.held = true
    },
  }
  const original = api.faults
  const turn = async () => {
    await cluster.settle()
    if (!isDue) return
    isDue = false
    if (perturbation?.what === 'crash') {
      await cluster[Symbol.asyncDispose]()
      api.faults = original
      cluster = testCluster(all, {}, 2, cluster)
    }
    if (perturbation?.what === 'stale cache') {
      await cluster.advance(2_000)
      api.held = false
    }
    if (perturbation?.what === 'broken watches') {
      api.closeWatches()
      api.compact()
    }
    await cluster.advance(1_000)
  }
  for (const step of steps) {
    step(cluster)
    for (let round = 0; round < 14; round++) {
      await turn()
      runPods(cluster)
      await cluster.advance(1_000)
    }
  }
  const summary = summarize(cluster)
  await cluster[Symbol.asyncDispose]()
  return { summary, writes }
}

function summarize({ api }: TestCluster): unknown {
  const of = <K extends AnyKind>(kind: K, show: (object: ReturnType<typeof api.all<K>>[number]) => unknown) =>
    api
      .all(kind)
      .map(object => JSON.stringify(show(object)))
      .sort()
  const counts = (status: object) => Object.fromEntries(Object.entries(status).filter(([, value]) => typeof value === 'number'))
  return {
    namespaces: of(Namespace, object => (object as ApiObject).metadata.name),
    accounts: of(ServiceAccount, object => object.metadata.namespace),
    pods: of(Pod, pod => [pod.metadata.labels?.['app'], pod.status.phase, pod.spec.containers[0]!.image, pod.metadata.finalizers]),
    deployments: of(Deployment, ({ status }) => counts(status)),
    sets: of(ReplicaSet, ({ spec, status }) => [spec.replicas, counts(status)]),
    stateful: of(StatefulSet, ({ status }) => counts(status)),
    daemons: of(DaemonSet, ({ status }) => counts(status)),
    jobs: of(Job, ({ status }) => [counts(status), status.conditions?.map(({ type }) => type)]),
    endpoints: of(Endpoints, ({ subsets }) => subsets?.map(({ addresses }) => addresses?.length)),
    slices: of(EndpointSlice, ({ endpoints }) => endpoints?.length),
  }
}

describe('controllers that are disturbed right after a write', () => {
  const undisturbed = tell()

  it('have something to do in the first place', async () => {
    const { summary, writes } = await undisturbed
    expect(writes).toBeGreaterThan(40)
    expect(summary).toMatchObject({
      namespaces: [],
      daemons: [],
      jobs: ['[{"succeeded":2,"terminating":0,"ready":0},["SuccessCriteriaMet","Complete"]]'],
      endpoints: ['[3]'],
      slices: ['3'],
    })
  })

  // The suite takes every eighth write, each kind another eighth: all of them take half a minute.
  const kinds = ['crash', 'lost answer', 'stale cache', 'broken watches'] as const
  it.each(kinds)(
    'reach the same end: %s',
    async what => {
      const expected = await undisturbed
      for (let at = 2 * kinds.indexOf(what); at < expected.writes; at += STRIDE) {
        const { summary } = await tell({ at, what })
        expect({ at, summary }).toEqual({ at, summary: expected.summary })
      }
    },
    60_000,
  )
})
