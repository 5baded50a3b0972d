import { describe, expect, it } from 'vitest'
import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation.ts'
import { disruptionController } from './disruption.ts'
import { endpointsController } from './endpoints.ts'
import { replicationControllerController } from './replicationcontroller.ts'
import { resourceQuotaController } from './resourcequota.ts'
import { deployment, markReady, podTemplate, replicaSet } from './runtime/samples.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status.ts'
import { persistentVolumeClaimProtectionController, persistentVolumeProtectionController } from './volume-protection.ts'

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
const podOf = (cluster: TestCluster, name: string, spec: object = {}, more: object = {}) =>
  cluster.api.put(Pod, {
    metadata: meta(name, { labels: { app: 'web' }, ...more }),
    spec: { containers: [], ...spec },
    status: { phase: 'Running', podIP: '10.1.0.1' },
  })

describe('resourcequota-controller', () => {
  it('counts what pods ask for, objects and services', async () => {
    await using cluster = testCluster([resourceQuotaController])
    const hard = {
      pods: '5',
      'requests.cpu': '2',
      'limits.memory': '1Gi',
      configmaps: '3',
      'count/deployments.apps': '2',
      'services.nodeports': '1',
      services: '4',
    }
    await cluster.api.client().create(ResourceQuota, { metadata: meta('q'), spec: { hard } })
    const resources = { requests: { cpu: '500m' }, limits: { memory: '128Mi' } }
    for (const name of ['a', 'b']) podOf(cluster, name, { containers: [{ name: 'c', image: 'i', resources }] })
    cluster.api.put(ConfigMap, { metadata: meta('c') })
    cluster.api.put(Deployment, deployment('d', 1))
    cluster.api.put(Service, { metadata: meta('s'), spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30000 }] } })
    await cluster.settle()
    expect(cluster.api.find(ResourceQuota, 'q')!.status).toEqual({
      hard,
      used: {
        pods: '2',
        'requests.cpu': '1',
        'limits.memory': '256Mi',
        configmaps: '1',
        'count/deployments.apps': '1',
        'services.nodeports': '1',
        services: '1',
      },
    })
  })

  it('notices what becomes free', async () => {
    await using cluster = testCluster([resourceQuotaController])
    await cluster.api.client().create(ResourceQuota, { metadata: meta('q'), spec: { hard: { pods: '5', configmaps: '3' } } })
    podOf(cluster, 'a')
    cluster.api.put(ConfigMap, { metadata: meta('c') })
    await cluster.settle()
    cluster.api.remove(Pod, 'a')
    cluster.api.remove(ConfigMap, 'c')
    await cluster.settle()
    expect(cluster.api.find(ResourceQuota, 'q')!.status.used).toEqual({ pods: '1', configmaps: '1' })
    await cluster.advance(1000)
    expect(cluster.api.find(ResourceQuota, 'q')!.status.used).toEqual({ pods: '0', configmaps: '0' })
  })

  it('counts only what is within its scopes', async () => {
    await using cluster = testCluster([resourceQuotaController])
    await cluster.api.client().create(ResourceQuota, { metadata: meta('q'), spec: { hard: { pods: '5' }, scopes: ['BestEffort'] } })
    podOf(cluster, 'best')
    podOf(cluster, 'burst', { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] })
    await cluster.settle()
    expect(cluster.api.find(ResourceQuota, 'q')!.status.used).toEqual({ pods: '1' })
  })
})

describe('disruption-controller', () => {
  const budget = (spec: object) => ({ metadata: meta('web'), spec: { selector: { matchLabels: { app: 'web' } }, ...spec } })
  const status = (cluster: TestCluster) => cluster.api.find(PodDisruptionBudget, 'web')!.status

  it('allows as many evictions as healthy pods are beyond what is needed', async () => {
    await using cluster = testCluster([disruptionController])
    await cluster.api.client().create(PodDisruptionBudget, budget({ minAvailable: 2 }))
    for (const name of ['a', 'b', 'c']) markReady(cluster, podOf(cluster, name))
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 })
    expect(status(cluster).conditions).toMatchObject([{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }])
    markReady(cluster, cluster.api.find(Pod, 'a')!, false)
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ disruptionsAllowed: 0, currentHealthy: 2 })
  })

  it('takes shares of what the owners want, not of what is there', async () => {
    await using cluster = testCluster([disruptionController])
    const set = cluster.api.put(ReplicaSet, replicaSet('web', 4))
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: set.metadata.uid, controller: true }]
    for (const name of ['a', 'b', 'c']) markReady(cluster, podOf(cluster, name, {}, { ownerReferences }))
    await cluster.api.client().create(PodDisruptionBudget, budget({ maxUnavailable: '50%' }))
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ expectedPods: 4, desiredHealthy: 2, currentHealthy: 3, disruptionsAllowed: 1 })
  })

  it('allows nothing where it cannot count, and forgets an eviction that never came', async () => {
    await using cluster = testCluster([disruptionController])
    const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: 'y', controller: true }]
    markReady(cluster, podOf(cluster, 'a', {}, { ownerReferences }))
    await cluster.api.client().create(PodDisruptionBudget, budget({ maxUnavailable: 1 }))
    await cluster.settle()
    expect(status(cluster).conditions).toMatchObject([{ reason: 'SyncFailed', message: 'found no controllers for pod "a"' }])
    cluster.api.change(PodDisruptionBudget, 'web', next => {
      delete next.spec.maxUnavailable
      next.spec.minAvailable = 0
      next.status.disruptedPods = { a: '2026-01-01T00:00:00Z' }
    })
    await cluster.settle()
    expect(status(cluster)).toMatchObject({ currentHealthy: 0 })
    await cluster.advance(120_000)
    expect(status(cluster)).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 1 })
  })
})

describe('what must not go yet', () => {
  it('a claim stays until no pod uses it', async () => {
    await using cluster = testCluster([persistentVolumeClaimProtectionController])
    const client = cluster.api.client()
    await client.create(PersistentVolumeClaim, { metadata: meta('data'), spec: { resources: {} } })
    podOf(cluster, 'user', { nodeName: 'n', volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })
    await cluster.settle()
    await client.delete(PersistentVolumeClaim, { namespace: 'default', name: 'data' })
    await cluster.settle()
    expect(cluster.api.find(PersistentVolumeClaim, 'data')!.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
    cluster.api.remove(Pod, 'user')
    await cluster.settle()
    expect(cluster.api.find(PersistentVolumeClaim, 'data')).toBeUndefined()
  })

  it('a volume stays as long as it is bound', async () => {
    await using cluster = testCluster([persistentVolumeProtectionController])
    cluster.api.put(PersistentVolume, { metadata: { name: 'disk' }, spec: { capacity: { storage: '1Gi' } }, status: { phase: 'Bound' } })
    await cluster.settle()
    await cluster.api.client().delete(PersistentVolume, { name: 'disk' })
    await cluster.settle()
    expect(cluster.api.find(PersistentVolume, 'disk', '')).toBeDefined()
    cluster.api.change(
      PersistentVolume,
      'disk',
      volume => {
        volume.status.phase = 'Released'
      },
      '',
    )
    await cluster.settle()
    expect(cluster.api.find(PersistentVolume, 'disk', '')).toBeUndefined()
  })
})

describe('endpoints-controller', () => {
  it('keeps the addresses of a service, ready and not, and deletes them with it', async () => {
    await using cluster = testCluster([endpointsController])
    await cluster.api.client().create(Service, {
      metadata: meta('web'),
      spec: { selector: { app: 'web' }, clusterIP: '10.0.0.1', ports: [{ port: 80, targetPort: 8080 }] },
    })
    markReady(cluster, podOf(cluster, 'a'))
    cluster.api.change(Pod, podOf(cluster, 'b').metadata.name!, pod => {
      pod.status.podIP = '10.1.0.2'
    })
    await cluster.settle()
    expect(cluster.api.find(Endpoints, 'web')!.subsets).toMatchObject([
      {
        addresses: [{ ip: '10.1.0.1', nodeName: 'node-1' }],
        notReadyAddresses: [{ ip: '10.1.0.2' }],
        ports: [{ port: 8080, protocol: 'TCP' }],
      },
    ])
    cluster.api.remove(Service, 'web')
    await cluster.settle()
    expect(cluster.api.find(Endpoints, 'web')).toBeUndefined()
  })
})

describe('replicationcontroller-controller', () => {
  it('keeps the pods that its selector names', async () => {
    await using cluster = testCluster([replicationControllerController])
    await cluster.api.client().create(ReplicationController, {
      metadata: meta('web'),
      spec: { replicas: 2, selector: { app: 'web' }, template: podTemplate('web') },
    })
    await cluster.settle()
    expect(cluster.api.all(Pod)).toHaveLength(2)
    expect(cluster.api.find(ReplicationController, 'web')!.status).toMatchObject({ replicas: 2, observedGeneration: 1 })
  })
})

describe('clusterrole-aggregation-controller', () => {
  it('gathers the rules of selected roles, each once, by name', async () => {
    await using cluster = testCluster([clusterRoleAggregationController])
    const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
    const part = (name: string, ...resources: string[]) =>
      cluster.api.put(ClusterRole, { metadata: { name, labels: { to: 'all' } }, rules: resources.map(rule) })
    part('b', 'pods', 'nodes')
    part('a', 'pods')
    await cluster.api.client().create(ClusterRole, {
      metadata: { name: 'all' },
      rules: [],
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'all' } }] },
    })
    await cluster.settle()
    const rules = () => cluster.api.find(ClusterRole, 'all', '')!.rules!.map(({ resources }) => resources![0])
    expect(rules()).toEqual(['pods', 'nodes'])
    part('c', 'events')
    await cluster.settle()
    expect(rules()).toEqual(['pods', 'nodes', 'events'])
  })
})

describe('validatingadmissionpolicy-status-controller', () => {
  it('notes the generation that it has seen', async () => {
    await using cluster = testCluster([validatingAdmissionPolicyStatusController])
    await cluster.api.client().create(ValidatingAdmissionPolicy, { metadata: { name: 'p' }, spec: {} })
    await cluster.settle()
    expect(cluster.api.find(ValidatingAdmissionPolicy, 'p', '')!.status).toMatchObject({ observedGeneration: 1, typeChecking: {} })
  })
})
