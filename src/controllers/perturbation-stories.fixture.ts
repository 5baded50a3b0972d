import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { StorageVersion } from '#kinds/apiserverinternal/v1alpha1/storage-version.ts'
import { DaemonSet } from '#kinds/apps/v1/daemon-set.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Job } from '#kinds/batch/v1/job.ts'
import { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isReady, isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ReplicationController } from '#kinds/core/v1/replication-controller.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { PodMetrics } from '#kinds/metrics/v1beta1/pod-metrics.ts'
import { IPAddress } from '#kinds/networking/v1/ip-address.ts'
import { ServiceCIDR } from '#kinds/networking/v1/service-cidr.ts'
import { PodDisruptionBudget } from '#kinds/policy/v1/pod-disruption-budget.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceClaimTemplate } from '#kinds/resource/v1/resource-claim-template.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { ResourcePoolStatusRequest } from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import { VolumeAttributesClass } from '#kinds/storage/v1/volume-attributes-class.ts'
import { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import type { AnyKind, ApiObject, ObjectOf } from '#machinery/kind/kind.ts'
import { microTimeOf, timeOf } from '#machinery/time/time.ts'
import { controllers } from './controllers.ts'
import { nodeNameOf } from './daemonset-pod.ts'
import type { Story } from './perturbation.fixture.ts'
import { deployment, markReady, podTemplate } from './runtime/samples.ts'
import type { TestCluster } from './runtime/test-cluster.ts'

const meta = (name: string, more: object = {}) => ({ name, namespace: 'default', ...more })
const selector = (app: string) => ({ selector: { matchLabels: { app } } })
const named = (...names: string[]) => controllers.filter(({ name }) => names.includes(name.replace(/-controller$/, '')))
const counts = (status: object) => Object.fromEntries(Object.entries(status).filter(([, value]) => typeof value === 'number'))
const gone = { deletionTimestamp: '2026-01-01T00:00:00Z' }
const markDeleted = (next: { metadata: { deletionTimestamp?: string | undefined } }) => {
  next.metadata.deletionTimestamp = gone.deletionTimestamp
}

/** What is shown of every object of a kind, in an order that says nothing. */
function all<K extends AnyKind>({ api }: TestCluster, kind: K, show: (object: ObjectOf<K>) => unknown): string[] {
  return api
    .all(kind)
    .map(object => JSON.stringify(show(object)))
    .sort()
}

const nameOf = (object: ApiObject) => object.metadata.name

/** What scheduler and kubelets do. Pods that are `app: task` end well. */
function runPods({ api, clock }: TestCluster): void {
  for (const pod of api.all(Pod)) {
    const { name = '', namespace, deletionTimestamp, finalizers = [], labels } = pod.metadata
    if (deletionTimestamp) {
      if (finalizers.length === 0) api.remove(Pod, name, namespace)
    } else if (isTerminal(pod)) continue
    else if (labels?.['app'] === 'task')
      api.change(
        Pod,
        name,
        next => {
          next.status.phase = 'Succeeded'
        },
        namespace,
      )
    else if (!isReady(pod)) {
      api.change(
        Pod,
        name,
        next => {
          next.spec.nodeName = nodeNameOf(pod) || 'n1'
          next.status.podIP = `10.1.0.${name.length}`
        },
        namespace,
      )
      markReady({ api, clock }, api.find(Pod, name, namespace)!)
    }
  }
}

const task = { metadata: { labels: { app: 'task' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work' }] } }

const workloads: Story = {
  name: 'workloads are made, changed and deleted',
  controllers: named(
    'deployment',
    'replicaset',
    'statefulset',
    'daemonset',
    'job',
    'endpoints',
    'endpointslice',
    'garbage-collector',
    'namespace',
    'serviceaccount',
  ),
  steps: [
    ({ api }) => {
      for (const name of ['n1', 'n2']) api.put(Node, { metadata: { name } })
      api.put(Namespace, { metadata: { name: 'shop' } })
      api.put(Deployment, deployment('web', 3))
      api.put(StatefulSet, {
        metadata: meta('db'),
        spec: { replicas: 2, serviceName: 'db', ...selector('db'), template: podTemplate('db') },
      })
      api.put(DaemonSet, { metadata: meta('agent'), spec: { ...selector('agent'), template: podTemplate('agent') } })
      api.put(Job, {
        metadata: meta('task'),
        spec: {
          completions: 2,
          parallelism: 2,
          backoffLimit: 6,
          podReplacementPolicy: 'TerminatingOrFailed',
          ...selector('task'),
          template: task,
        },
      })
      api.put(Service, {
        metadata: meta('web'),
        spec: { selector: { app: 'web' }, clusterIP: '10.0.0.1', ipFamilies: ['IPv4'], ports: [{ port: 80, targetPort: 8080 }] },
      })
    },
    ({ api }) => {
      for (const [kind, name] of [
        [Deployment, 'web'],
        [StatefulSet, 'db'],
      ] as const)
        api.change(kind as typeof Deployment, name, next => {
          next.spec.template.spec.containers[0]!.image = `${name}:2`
        })
      api.remove(DaemonSet, 'agent')
      api.change(
        Namespace,
        'shop',
        next => {
          next.metadata.deletionTimestamp = gone.deletionTimestamp
          next.status.phase = 'Terminating'
        },
        '',
      )
    },
  ],
  world: runPods,
  rounds: 14,
  roundMs: 1_000,
  summarize: cluster => ({
    namespaces: all(cluster, Namespace, nameOf),
    accounts: all(cluster, ServiceAccount, ({ metadata }) => metadata.namespace),
    pods: all(cluster, Pod, pod => [
      pod.metadata.labels?.['app'],
      pod.status.phase,
      pod.spec.containers[0]!.image,
      pod.metadata.finalizers,
    ]),
    deployments: all(cluster, Deployment, ({ status }) => counts(status)),
    sets: all(cluster, ReplicaSet, ({ spec, status }) => [spec.replicas, counts(status)]),
    stateful: all(cluster, StatefulSet, ({ status }) => counts(status)),
    daemons: all(cluster, DaemonSet, ({ status }) => counts(status)),
    jobs: all(cluster, Job, ({ status }) => [counts(status), status.conditions?.map(({ type }) => type)]),
    endpoints: all(cluster, Endpoints, ({ subsets }) => subsets?.map(({ addresses }) => addresses?.length)),
    slices: all(cluster, EndpointSlice, ({ endpoints }) => endpoints?.length),
  }),
}

const scaling: Story = {
  name: 'work is scheduled, scaled, counted and cleared away',
  controllers: named(
    'cronjob',
    'job',
    'ttl-after-finished',
    'garbage-collector',
    'horizontal-pod-autoscaler',
    'deployment',
    'replicaset',
    'replicationcontroller',
    'disruption',
    'resourcequota',
    'endpointslice-mirroring',
  ),
  steps: [
    ({ api }) => {
      api.subresources = {
        'deployments/scale'(object, body) {
          const wanted = (body as { spec?: { replicas: number } } | undefined)?.spec?.replicas
          if (wanted !== undefined)
            api.change(Deployment, 'web', next => {
              next.spec.replicas = wanted
            })
          const present = (object as Deployment).spec.replicas
          return { metadata: object.metadata, spec: { replicas: wanted ?? present }, status: { replicas: present, selector: 'app=web' } }
        },
      }
      // The API server gives a Job its selector.
      api.admit = (kind, object) => {
        if (kind === Job) Object.assign((object as { spec: object }).spec, selector('task'))
      }
      api.put(CronJob, {
        metadata: meta('nightly'),
        spec: { schedule: '1 0 * * *', jobTemplate: { spec: { ttlSecondsAfterFinished: 30, template: task } } },
      })
      const resources = { requests: { memory: '100Mi' } }
      const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'web:1', resources }] } }
      api.put(Deployment, deployment('web', 1, { template }))
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
      const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 50 } } }
      api.put(HorizontalPodAutoscaler, { metadata: meta('web'), spec: { scaleTargetRef, maxReplicas: 3, metrics: [memory] } })
      api.put(PodDisruptionBudget, { metadata: meta('web'), spec: { minAvailable: 1, ...selector('web') } })
      api.put(ReplicationController, { metadata: meta('rc'), spec: { replicas: 2, selector: { app: 'rc' }, template: podTemplate('rc') } })
      api.put(ResourceQuota, { metadata: meta('all'), spec: { hard: { pods: '20', 'count/jobs.batch': '5' } } })
      api.put(Service, { metadata: meta('outside'), spec: { clusterIP: '10.0.0.9', ports: [{ port: 80 }] } })
      api.put(Endpoints, { metadata: meta('outside'), subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }] })
    },
  ],
  world(cluster) {
    runPods(cluster)
    const { api, clock } = cluster
    for (const { metadata } of api.all(Pod)) {
      if (metadata.labels?.['app'] !== 'web' || api.find(PodMetrics, metadata.name!)) continue
      const usage = { cpu: '100m', memory: '100Mi' }
      const measured = { timestamp: timeOf(clock.now() + 3600_000), window: '15s', containers: [{ name: 'main', usage }] }
      api.put(PodMetrics, { metadata: meta(metadata.name!, { labels: metadata.labels }), ...measured })
    }
  },
  rounds: 24,
  roundMs: 10_000,
  summarize: cluster => ({
    cron: all(cluster, CronJob, ({ status }) => [status.lastScheduleTime, status.lastSuccessfulTime !== undefined, status.active]),
    jobs: all(cluster, Job, nameOf),
    pods: all(cluster, Pod, pod => [pod.metadata.labels?.['app'], pod.status.phase]),
    autoscalers: all(cluster, HorizontalPodAutoscaler, ({ status }) => [
      status.currentReplicas,
      status.desiredReplicas,
      status.conditions?.map(({ type, status: state, reason }) => [type, state, reason]).sort(),
    ]),
    deployments: all(cluster, Deployment, ({ spec, status }) => [spec.replicas, counts(status)]),
    controllers: all(cluster, ReplicationController, ({ status }) => counts(status)),
    budgets: all(cluster, PodDisruptionBudget, ({ status }) => counts(status)),
    quotas: all(cluster, ResourceQuota, ({ status }) => status),
    mirrored: all(cluster, EndpointSlice, ({ endpoints, ports }) => [endpoints?.map(({ addresses }) => addresses), ports?.length]),
  }),
}

const ALIVE = ['n2', 'n3']
const nodes: Story = {
  name: 'a node falls silent and is taken away',
  controllers: named('node-ipam', 'node-lifecycle', 'taint-eviction', 'pod-garbage-collector', 'ttl'),
  parameters: { clusterCIDRs: ['10.244.0.0/16'] },
  steps: [
    ({ api, clock }) => {
      const at = timeOf(clock.now())
      for (const name of ['n1', ...ALIVE]) {
        const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady', message: '', lastHeartbeatTime: at, lastTransitionTime: at }
        api.put(Node, { metadata: { name }, status: { conditions: [ready] } })
        api.put(Lease, { metadata: { name, namespace: 'kube-node-lease' }, spec: { renewTime: microTimeOf(clock.now()) } })
      }
      const stoic = { tolerations: [{ operator: 'Exists' }] }
      for (const [name, nodeName, more] of [
        ['web', 'n1', {}],
        ['agent', 'n1', stoic],
        ['db', 'n2', {}],
      ] as const)
        markReady({ api, clock }, api.put(Pod, { metadata: meta(name), spec: { nodeName, containers: [], ...more } }))
    },
    ({ api }) => api.remove(Node, 'n1', ''),
  ],
  world({ api, clock }) {
    for (const name of ALIVE)
      api.change(
        Lease,
        name,
        lease => {
          lease.spec.renewTime = microTimeOf(clock.now())
        },
        'kube-node-lease',
      )
  },
  rounds: 30,
  roundMs: 5_000,
  summarize: cluster => ({
    nodes: all(cluster, Node, ({ metadata, spec, status }) => [
      metadata.name,
      metadata.annotations,
      spec.taints,
      spec.podCIDRs?.length,
      status.conditions?.map(({ type, status: state }) => [type, state]),
    ]),
    ranges: new Set(cluster.api.all(Node).map(({ spec }) => spec.podCIDR)).size,
    pods: all(cluster, Pod, ({ metadata, status }) => [
      metadata.name,
      status.phase,
      status.conditions?.map(({ type, status }) => [type, status]),
    ]),
  }),
}

const MANAGED = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
const volume = (name: string) => ({
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    storageClassName: '',
    volumeAttributesClassName: name === 'disk-1' ? 'fast' : undefined,
    persistentVolumeReclaimPolicy: 'Retain',
    csi: { driver: 'disk.example', volumeHandle: name },
  },
})
const claimSpec = { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } }
const storage: Story = {
  name: 'volumes are bound, attached, and given back',
  controllers: named(
    'persistentvolume-binder',
    'persistentvolume-attach-detach',
    'persistentvolume-expander',
    'persistentvolumeclaim-protection',
    'persistentvolume-protection',
    'volumeattributesclass-protection',
    'ephemeral-volume',
    'garbage-collector',
  ),
  steps: [
    ({ api }) => {
      api.put(Node, { metadata: { name: 'n1', annotations: MANAGED }, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
      api.put(VolumeAttributesClass, { metadata: { name: 'fast' }, driverName: 'disk.example', parameters: { iops: '1' } })
      for (const name of ['disk-1', 'disk-2']) api.put(PersistentVolume, volume(name))
      api.put(PersistentVolumeClaim, { metadata: meta('data'), spec: claimSpec })
      api.put(StorageClass, {
        metadata: { name: 'made' },
        provisioner: 'disk.example',
        reclaimPolicy: 'Delete',
        volumeBindingMode: 'Immediate',
      })
      api.put(PersistentVolumeClaim, { metadata: meta('asked'), spec: { ...claimSpec, storageClassName: 'made' } })
      const volumes = [
        { name: 'a', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'b', ephemeral: { volumeClaimTemplate: { spec: claimSpec } } },
      ]
      api.put(Pod, { metadata: meta('web'), spec: { nodeName: 'n1', containers: [], volumes }, status: { phase: 'Running' } })
    },
    // Somebody else enlarges volumes of CSI drivers; there is an event that says so.
    ({ api }) =>
      api.change(PersistentVolumeClaim, 'data', next => {
        next.spec.resources!.requests!['storage'] = '2Gi'
      }),
    ({ api }) => {
      api.remove(Pod, 'web')
      for (const name of ['data', 'asked']) api.change(PersistentVolumeClaim, name, markDeleted)
      for (const name of ['disk-1', 'disk-2']) api.change(PersistentVolume, name, markDeleted, '')
      api.change(VolumeAttributesClass, 'fast', markDeleted, '')
    },
  ],
  world({ api }) {
    for (const { metadata, status } of api.all(VolumeAttachment))
      if (!status.attached)
        api.change(
          VolumeAttachment,
          metadata.name!,
          next => {
            next.status.attached = true
          },
          '',
        )
    // The driver makes volumes for whom the binder hands over to it, and deletes those that are to go with their claims.
    for (const claim of api.all(PersistentVolumeClaim)) {
      const { name, namespace, uid, annotations = {} } = claim.metadata
      if (annotations['volume.kubernetes.io/storage-provisioner'] !== 'disk.example' || api.find(PersistentVolume, `pvc-${name}`, ''))
        continue
      const made = volume(`pvc-${name}`)
      const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid }
      const spec = {
        ...made.spec,
        volumeAttributesClassName: undefined,
        storageClassName: 'made',
        persistentVolumeReclaimPolicy: 'Delete',
        claimRef,
      }
      const provisioned = { 'pv.kubernetes.io/provisioned-by': 'disk.example' }
      api.put(PersistentVolume, { metadata: { ...made.metadata, annotations: provisioned }, spec })
    }
    for (const { metadata, status, spec } of api.all(PersistentVolume))
      if (status.phase === 'Released' && spec.persistentVolumeReclaimPolicy === 'Delete' && !metadata.deletionTimestamp)
        api.change(PersistentVolume, metadata.name!, markDeleted, '')
  },
  rounds: 12,
  roundMs: 2_000,
  summarize: cluster => ({
    attachments: all(cluster, VolumeAttachment, nameOf),
    node: cluster.api.find(Node, 'n1', '')!.status.volumesAttached ?? [],
    claims: all(cluster, PersistentVolumeClaim, nameOf),
    volumes: all(cluster, PersistentVolume, nameOf),
    classes: all(cluster, VolumeAttributesClass, nameOf),
  }),
}

const request = { devices: { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu' } }] } }
const result = { request: 'gpu', driver: 'gpu.example', pool: 'n1', device: 'g0' }
const claims: Story = {
  name: 'devices are claimed, break, and are given back',
  controllers: named('resourceclaim', 'device-taint-eviction', 'garbage-collector'),
  steps: [
    ({ api }) => {
      const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
      api.put(ResourceSlice, { metadata: { name: 's' }, spec: { driver: 'gpu.example', pool, devices: [{ name: 'g0' }] } })
      api.put(ResourceClaimTemplate, { metadata: meta('one'), spec: { spec: request } })
      api.put(ResourceClaim, { metadata: meta('shared'), spec: request, status: { allocation: { devices: { results: [result] } } } })
      const resourceClaims = [
        { name: 'own', resourceClaimTemplateName: 'one' },
        { name: 'shared', resourceClaimName: 'shared' },
      ]
      const spec = { containers: [], nodeName: 'n1', resourceClaims }
      for (const name of ['a', 'b']) api.put(Pod, { metadata: meta(name), spec, status: { phase: 'Running' } })
    },
    ({ api, clock }) => {
      api.change(
        ResourceSlice,
        's',
        slice => {
          slice.spec.devices![0]!.taints = [{ key: 'broken', effect: 'NoExecute', timeAdded: timeOf(clock.now()) }]
        },
        '',
      )
    },
  ],
  world({ api }) {
    for (const { metadata } of api.all(Pod)) if (metadata.deletionTimestamp) api.remove(Pod, metadata.name!)
  },
  rounds: 10,
  roundMs: 1_000,
  summarize: cluster => ({
    pods: all(cluster, Pod, nameOf),
    claims: all(cluster, ResourceClaim, ({ metadata, status }) => [metadata.name, metadata.finalizers, status]),
  }),
}

const certificate = {
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
}
const DAY_MS = 24 * 3600_000
const access: Story = {
  name: 'accounts, tokens, roles, certificates and addresses come and go',
  controllers: named(
    'serviceaccount',
    'serviceaccount-token',
    'root-ca-certificate-publisher',
    'certificatesigningrequest-approving',
    'certificatesigningrequest-signing',
    'certificatesigningrequest-cleaner',
    'clusterrole-aggregation',
    'bootstrap-signer',
    'token-cleaner',
    'legacy-serviceaccount-token-cleaner',
    'service-cidr',
    'validatingadmissionpolicy-status',
  ),
  parameters: {
    rootCA: 'CA',
    signServiceAccountToken: async ({ secret }) => `token-of-${secret}`,
    certificateSigner: { parse: async () => certificate, sign: async () => 'CERT', notAfter: async () => Number.POSITIVE_INFINITY },
    legacyServiceAccountTokenCleanUpPeriodMs: DAY_MS,
  },
  steps: [
    ({ api, clock }) => {
      api.admit = (kind, object) => {
        if (kind === SubjectAccessReview) Object.assign(object, { status: { allowed: true } })
      }
      for (const name of ['default', 'kube-public', 'kube-system']) api.put(Namespace, { metadata: { name } })
      api.put(ServiceAccount, { metadata: meta('app'), secrets: [{ name: 'app-token' }] })
      const annotations = { 'kubernetes.io/service-account.name': 'app' }
      for (const name of ['app-token', 'by-hand'])
        api.put(Secret, { metadata: meta(name, { annotations }), type: 'kubernetes.io/service-account-token' })
      api.put(ConfigMap, {
        metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
        data: { since: '2020-01-01' },
      })
      api.put(ConfigMap, { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'clusters' } })
      const texts = {
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-signing': 'true',
        expiration: timeOf(clock.now() + 3 * DAY_MS),
      }
      api.put(Secret, {
        metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
        type: 'bootstrap.kubernetes.io/token',
        data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, btoa(text)])),
      })
      api.put(CertificateSigningRequest, {
        metadata: { name: 'n1' },
        spec: {
          request: btoa('PEM'),
          signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
          usages: ['digital signature', 'client auth'],
          username: 'system:node:n1',
        },
      })
      api.put(ClusterRole, {
        metadata: { name: 'part', labels: { to: 'all' } },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      })
      api.put(ClusterRole, { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'all' } }] } })
      api.put(ServiceCIDR, { metadata: { name: 'extra' }, spec: { cidrs: ['10.200.0.0/24'] } })
      api.put(IPAddress, { metadata: { name: '10.200.0.7' }, spec: {} })
      api.put(ValidatingAdmissionPolicy, { metadata: { name: 'policy' }, spec: { validations: [{ expression: 'true' }] } })
    },
    ({ api }) => {
      api.change(
        ServiceCIDR,
        'extra',
        next => {
          next.metadata.deletionTimestamp = gone.deletionTimestamp
        },
        '',
      )
    },
    ({ api }) => api.remove(IPAddress, '10.200.0.7', ''),
  ],
  world() {},
  rounds: 20,
  roundMs: DAY_MS / 8,
  summarize: cluster => ({
    accounts: all(cluster, ServiceAccount, ({ metadata }) => [metadata.namespace, metadata.name]),
    secrets: all(cluster, Secret, ({ metadata, data }) => [metadata.name, data]),
    maps: all(cluster, ConfigMap, ({ metadata, data }) => [metadata.namespace, metadata.name, data]),
    requests: all(cluster, CertificateSigningRequest, nameOf),
    roles: all(cluster, ClusterRole, ({ metadata, rules }) => [metadata.name, rules]),
    ranges: all(cluster, ServiceCIDR, nameOf),
    policies: all(cluster, ValidatingAdmissionPolicy, ({ status }) => status),
  }),
}

const PEM = '-----BEGIN CERTIFICATE-----\nMIIA\n-----END CERTIFICATE-----\n'
const optional: Story = {
  name: 'what alpha and beta APIs ask for is done and cleared away',
  controllers: named(
    'storage-version-migrator',
    'storageversion-garbage-collector',
    'kube-apiserver-serving-clustertrustbundle-publisher',
    'podcertificaterequest-cleaner',
    'resourcepoolstatusrequest',
    'podgroup-protection',
    'device-taint-eviction',
    'selinux-warning',
  ),
  parameters: { rootCA: PEM },
  steps: [
    ({ api }) => {
      for (const name of ['a', 'b']) api.put(ConfigMap, { metadata: meta(name) })
      for (const name of ['first', 'second'])
        api.put(StorageVersionMigration, { metadata: { name }, spec: { resource: { group: '', resource: 'configmaps' } } })
      const identity = { 'apiserver.kubernetes.io/identity': 'kube-apiserver' }
      for (const name of ['server-1', 'server-2']) api.put(Lease, { metadata: { name, namespace: 'kube-system', labels: identity } })
      const storageVersions = ['server-1', 'server-2'].map((apiServerID, index) => {
        const version = `v${index + 1}`
        return { apiServerID, encodingVersion: version, decodableVersions: [version] }
      })
      api.put(StorageVersion, { metadata: { name: 'apps.deployments' }, status: { storageVersions } })
      api.put(ClusterTrustBundle, {
        metadata: { name: 'kubernetes.io:kube-apiserver-serving:old' },
        spec: { signerName: 'kubernetes.io/kube-apiserver-serving', trustBundle: 'OLD' },
      })
      api.put(PodCertificateRequest, { metadata: meta('web-1'), spec: { signerName: 'example.com/s', podName: 'web' } })
      api.put(ResourcePoolStatusRequest, { metadata: { name: 'how-many' }, spec: { driver: 'gpu.example' } })
      const finalizers = ['scheduling.k8s.io/podgroup-protection']
      api.put(PodGroup, { metadata: meta('gang', { finalizers }), spec: { schedulingPolicy: { basic: {} } } })
      const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
      api.put(ResourceSlice, { metadata: { name: 's' }, spec: { driver: 'gpu.example', nodeName: 'n1', pool, devices: [{ name: 'g0' }] } })
      const pod = api.put(Pod, {
        metadata: meta('train'),
        spec: {
          nodeName: 'n1',
          schedulingGroup: { podGroupName: 'gang' },
          resourceClaims: [{ name: 'd', resourceClaimName: 'c' }],
          containers: [],
        },
        status: { phase: 'Running' },
      })
      const reservedFor = [{ resource: 'pods', name: 'train', uid: pod.metadata.uid }]
      api.put(ResourceClaim, {
        metadata: meta('c'),
        spec: request,
        status: { allocation: { devices: { results: [result] } }, reservedFor },
      })
      // Two pods that label one volume differently.
      api.put(CSIDriver, { metadata: { name: 'disk.example' }, spec: { seLinuxMount: true } })
      api.put(PersistentVolume, {
        ...volume('shared'),
        spec: { ...volume('shared').spec, claimRef: { namespace: 'default', name: 'shared' } },
      })
      api.put(PersistentVolumeClaim, { metadata: meta('shared'), spec: { ...claimSpec, volumeName: 'shared' } })
      for (const level of ['s0:c1', 's0:c2']) {
        const containers = [{ name: 'main', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }]
        const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'shared' } }]
        api.put(Pod, {
          metadata: meta(`pod-${level.slice(-2)}`),
          spec: { containers, volumes, securityContext: { seLinuxOptions: { level } } },
        })
      }
    },
    ({ api }) => {
      api.remove(Lease, 'server-1', 'kube-system')
      api.change(PodGroup, 'gang', markDeleted)
      const taint = { key: 'broken', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' }
      api.put(DeviceTaintRule, { metadata: { name: 'recall' }, spec: { deviceSelector: { driver: 'gpu.example' }, taint } })
    },
    ({ api }) => api.remove(Lease, 'server-2', 'kube-system'),
  ],
  world({ api }) {
    for (const { metadata } of api.all(Pod)) if (metadata.deletionTimestamp) api.remove(Pod, metadata.name!)
  },
  rounds: 10,
  roundMs: 150_000,
  summarize: cluster => ({
    migrations: all(cluster, StorageVersionMigration, ({ metadata, status }) => [
      metadata.name,
      status.conditions?.map(({ type, status: state }) => [type, state]),
    ]),
    versions: all(cluster, StorageVersion, nameOf),
    bundles: all(cluster, ClusterTrustBundle, nameOf),
    requests: all(cluster, PodCertificateRequest, nameOf),
    answers: all(cluster, ResourcePoolStatusRequest, nameOf),
    groups: all(cluster, PodGroup, nameOf),
    pods: all(cluster, Pod, nameOf),
    rules: all(cluster, DeviceTaintRule, ({ status }) => status.conditions?.map(({ type, status: state }) => [type, state])),
  }),
}

/** Stories in which every controller has something to write. */
export const stories: readonly Story[] = [workloads, scaling, nodes, storage, claims, access, optional]
