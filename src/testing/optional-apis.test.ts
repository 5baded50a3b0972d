import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { newCertificateRequest } from '#base/pki/certificate-authority.ts'
import { pemBlocks } from '#base/pki/pem.ts'
import { realClock } from '#base/time/real-clock.ts'
import { standAsCandidate } from '#client/leader/lease-candidate.ts'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { ResourcePoolStatusRequest } from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { Workload } from '#kinds/scheduling/v1alpha2/workload.ts'
import { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import { defineKind } from '#machinery/kind/kind.ts'
import { anyJson, embedded } from '#machinery/schema/schema.ts'
import { startCluster } from './testing.ts'

/* APIs that are served only where they are asked for, on a whole control plane: with validation, admission and roles. */

const everything = { runtimeConfig: { 'api/all': true }, featureGates: { AllAlpha: true, AllBeta: true } }
const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** A request that its key has signed. */
async function certificateRequest(spec: object) {
  const { request } = await newCertificateRequest({ commonName: '' })
  const names = { signerName: 'example.com/s', podName: 'p', serviceAccountName: 'default', nodeName: 'n' }
  const uids = { podUID: 'u1', serviceAccountUID: 'u2', nodeUID: 'u3' }
  const stubPKCS10Request = Buffer.from(pemBlocks(request)[0]!.der).toString('base64')
  return {
    metadata: { name: 'r', namespace: 'default' },
    spec: { ...names, ...uids, stubPKCS10Request, ...spec },
  } as never as PodCertificateRequest
}

describe('APIs that are not served by default', () => {
  it('are unknown without --runtime-config, and so are the roles of their controllers', async () => {
    await using cluster = await startCluster({ nodes: 0 })
    await expect(cluster.client.list(StorageVersionMigration)).rejects.toMatchObject({ code: 404 })
    const roles = (await cluster.client.list(ClusterRole)).items.map(({ metadata }) => metadata.name)
    expect(roles).not.toContain('system:controller:storage-version-migrator-controller')
  })

  it('have a migration store all objects of a custom resource in its new version, and forget the old one', async () => {
    await using cluster = await startCluster({ nodes: 0, ...everything })
    const { client } = cluster
    const versions = (stored: string) =>
      ['v1', 'v2'].map(name => ({ name, served: true, storage: name === stored, schema: { openAPIV3Schema: schema } }))
    const names = { kind: 'Widget', plural: 'widgets' }
    const spec = { group: 'example.com', scope: 'Namespaced', names, versions: versions('v1') }
    await client.create(CustomResourceDefinition, { metadata: { name: 'widgets.example.com' }, spec } as never)
    const definition = () => client.get(CustomResourceDefinition, { name: 'widgets.example.com' })
    await cluster.until(
      async () => (await definition()).status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false,
    )
    const Widget = defineKind({
      ...spec,
      ...names,
      version: 'v1',
      openapi: 'com.example.v1',
      scope: 'Namespaced',
      fields: { spec: embedded(2, anyJson) },
    })
    for (const name of ['a', 'b']) await client.create(Widget, { metadata: { name, namespace: 'default' }, spec: { size: 1 } } as never)
    const before = await client.get(Widget, { name: 'a', namespace: 'default' })

    await client.patch(
      CustomResourceDefinition,
      { name: 'widgets.example.com' },
      { type: 'merge', body: { spec: { versions: versions('v2') } } },
    )
    await cluster.until(async () => (await definition()).status.storedVersions?.join() === 'v1,v2')
    const resource = { group: 'example.com', resource: 'widgets' }
    await client.create(StorageVersionMigration, { metadata: { name: 'widgets' }, spec: { resource } })
    const migration = () => client.get(StorageVersionMigration, { name: 'widgets' })
    await cluster.until(async () => (await migration()).status.conditions?.some(({ type }) => type !== 'Running') ?? false)
    expect((await migration()).status.conditions).toMatchObject([{ type: 'Succeeded', status: 'True' }])
    expect((await definition()).status.storedVersions).toEqual(['v2'])
    const after = await client.get(Widget, { name: 'a', namespace: 'default' })
    expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion)
    expect((after as { spec?: unknown }).spec).toEqual({ size: 1 })
  })

  it('answer how many devices there are, taint them, and keep a group of pods while one is at work', async () => {
    await using cluster = await startCluster({ nodes: 1, ...everything })
    const { client } = cluster
    const pool = { name: 'node-1', generation: 1, resourceSliceCount: 1 }
    const devices = [{ name: 'g0' }, { name: 'g1' }]
    await client.create(ResourceSlice, {
      metadata: { name: 's' },
      spec: { driver: 'gpu.example', nodeName: 'node-1', pool, devices },
    } as never)
    await client.create(ResourcePoolStatusRequest, { metadata: { name: 'r' }, spec: { driver: 'gpu.example' } } as never)
    const answer = async () => (await client.get(ResourcePoolStatusRequest, { name: 'r' })).status
    await cluster.until(async () => (await answer()) !== undefined)
    expect(await answer()).toMatchObject({ poolCount: 1, pools: [{ poolName: 'node-1', totalDevices: 2, availableDevices: 2 }] })

    const taint = { key: 'example.com/recall', effect: 'None' }
    const rule = await client.create(DeviceTaintRule, { metadata: { name: 'recall' }, spec: { deviceSelector: {}, taint } } as never)
    expect(rule.spec.taint.timeAdded).toBeDefined()
    const told = async () => (await client.get(DeviceTaintRule, { name: 'recall' })).status.conditions?.[0]?.message
    await cluster.until(async () => (await told()) !== undefined)
    expect(await told()).toMatch(/^2 published devices selected/)

    const metadata = (name: string) => ({ name, namespace: 'default' })
    await client.create(PodGroup, { metadata: metadata('gang'), spec: { schedulingPolicy: { basic: {} } } } as never)
    await client.create(Pod, {
      metadata: metadata('one'),
      spec: { containers: [{ name: 'c', image: 'i' }], schedulingGroup: { podGroupName: 'gang' } },
    } as never)
    await cluster.until(async () => (await client.get(Pod, metadata('one'))).status.phase === 'Running')
    await client.delete(PodGroup, metadata('gang'))
    expect((await client.get(PodGroup, metadata('gang'))).metadata.deletionTimestamp).toBeDefined()
    await client.delete(Pod, metadata('one'), { gracePeriodSeconds: 0 })
    await cluster.until(async () => (await client.list(PodGroup, { namespace: 'default' })).items.length === 0)
  }, 20_000)

  it('have a gang go to its nodes as one, or not at all', async () => {
    await using cluster = await startCluster({ nodes: 2, ...everything })
    const { client } = cluster
    const metadata = (name: string) => ({ name, namespace: 'default' })
    await client.create(PodGroup, { metadata: metadata('gang'), spec: { schedulingPolicy: { gang: { minCount: 3 } } } } as never)
    // Each wants a host to itself.
    const container = { name: 'c', image: 'i', ports: [{ containerPort: 80, hostPort: 80 }] }
    const spec = { containers: [container], schedulingGroup: { podGroupName: 'gang' } }
    for (const name of ['a', 'b', 'c']) await client.create(Pod, { metadata: metadata(name), spec } as never)
    const group = async () => (await client.get(PodGroup, metadata('gang'))).status.conditions?.[0]
    await cluster.until(async () => (await group())?.reason === 'Unschedulable')
    const placed = async () => (await client.list(Pod, { namespace: 'default' })).items.filter(pod => pod.spec.nodeName).length
    expect(await placed()).toBe(0)
    await client.create(Pod, { metadata: metadata('alone'), spec: { containers: [container] } } as never)
    await cluster.until(async () => (await placed()) === 1)
    await client.delete(Pod, metadata('alone'), { gracePeriodSeconds: 0 })
    // More come that can share a host.
    const sharing = { ...spec, containers: [{ name: 'c', image: 'i' }] }
    for (const name of ['d', 'e']) await client.create(Pod, { metadata: metadata(name), spec: sharing } as never)
    await cluster.until(async () => (await group())?.status === 'True')
    expect(await placed()).toBeGreaterThanOrEqual(3)
  }, 20_000)

  it('refuse a group of pods whose workload or template is not there', async () => {
    await using cluster = await startCluster({ nodes: 0, ...everything })
    const { client } = cluster
    const metadata = (name: string) => ({ name, namespace: 'default' })
    const schedulingPolicy = { basic: {} }
    const groupOf = (workloadName: string, podGroupTemplateName: string) =>
      client.create(PodGroup, {
        metadata: metadata('g'),
        spec: { schedulingPolicy, podGroupTemplateRef: { workload: { workloadName, podGroupTemplateName } } },
      } as never)
    await client.create(Workload, { metadata: metadata('w'), spec: { podGroupTemplates: [{ name: 'one', schedulingPolicy }] } } as never)
    const refused = 'podgroups.scheduling.k8s.io "g" is forbidden: PodGroup rejected: '
    await expect(groupOf('v', 'one')).rejects.toThrow(`${refused}Workload "v" not found`)
    await expect(groupOf('w', 'two')).rejects.toThrow(`${refused}PodGroupTemplate "two" not found in Workload "w"`)
    await groupOf('w', 'one')
  })

  it('elect who holds a Lease among those that stand for it', async () => {
    await using cluster = await startCluster({ nodes: 0, ...everything })
    const { client } = cluster
    const clock = realClock()
    const lease = { namespace: 'kube-system', name: 'mine' }
    const standing = { client, clock, log: silentLogger, lease, binaryVersion: '1.36.2' }
    await using _young = standAsCandidate({ ...standing, identity: 'young', emulationVersion: '1.36.0' })
    const holder = async () =>
      (await client.list(Lease, { namespace: lease.namespace })).items.find(one => one.metadata.name === 'mine')?.spec
    await cluster.until(async () => (await holder())?.holderIdentity === 'young')
    expect(await holder()).toMatchObject({ strategy: 'OldestEmulationVersion' })
    await using _old = standAsCandidate({ ...standing, identity: 'old', emulationVersion: '1.35.0' })
    await cluster.until(async () => (await holder())?.preferredHolder === 'old' || (await holder())?.holderIdentity === 'old')
  }, 20_000)

  it('show stable objects as they were in beta, and keep what is written so', async () => {
    await using cluster = await startCluster({ nodes: 0, ...everything })
    const { client } = cluster
    const beta = (plural: string) => optionalKinds.find(kind => kind.apiVersion === 'resource.k8s.io/v1beta1' && kind.plural === plural)!
    const metadata = { name: 'c', namespace: 'default' }
    const requests = [{ name: 'gpu', deviceClassName: 'gpu.example.com', tolerations: [{ operator: 'Exists' }] }]
    const written = await client.create(beta('resourceclaims'), { metadata, spec: { devices: { requests } } } as never)
    const asked = { ...requests[0], allocationMode: 'ExactCount', count: 1 }
    expect(written).toMatchObject({ apiVersion: 'resource.k8s.io/v1beta1', spec: { devices: { requests: [asked] } } })
    const { name, ...exactly } = asked
    expect((await client.get(ResourceClaim, metadata)).spec.devices.requests).toEqual([{ name, exactly }])

    const pool = { name: 'node-1', generation: 1, resourceSliceCount: 1 }
    const devices = [{ name: 'g0', attributes: { model: { string: 'a' } } }]
    await client.create(ResourceSlice, { metadata: { name: 's' }, spec: { driver: 'gpu.example', nodeName: 'n', pool, devices } } as never)
    expect(await client.get(beta('resourceslices'), { name: 's' })).toMatchObject({
      spec: { devices: [{ name: 'g0', basic: { attributes: { model: { string: 'a' } } } }] },
    })
    const first = { name: 'any', firstAvailable: [{ name: 'one', deviceClassName: 'a.example.com' }] }
    const template = { metadata, spec: { spec: { devices: { requests: [first] } } } }
    expect(await client.create(beta('resourceclaimtemplates'), template as never)).toMatchObject({
      spec: { spec: { devices: { requests: [{ name: 'any', firstAvailable: [{ name: 'one' }] }] } } },
    })
  })

  it('let nobody vouch or sign for a signer that may not', async () => {
    await using cluster = await startCluster({ nodes: 0, ...everything })
    const { client } = cluster
    const rules = [
      { verbs: ['create'], apiGroups: ['certificates.k8s.io'], resources: ['clustertrustbundles', 'podcertificaterequests'] },
      { verbs: ['update'], apiGroups: ['certificates.k8s.io'], resources: ['podcertificaterequests/status'] },
    ]
    await client.create(ClusterRole, { metadata: { name: 'writer' }, rules } as never)
    await client.create(ClusterRoleBinding, {
      metadata: { name: 'writer' },
      subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'writer' },
    } as never)
    const mallory = cluster.clientFor({ name: 'mallory', groups: [] })
    const der = btoa(String.fromCharCode(0x30, 0x82, 0, 4, 1, 2, 3, 4))
    const trustBundle = `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`
    const bundle = (name: string, signerName = '') => ({ metadata: { name }, spec: { ...(signerName ? { signerName } : {}), trustBundle } })
    await mallory.create(ClusterTrustBundle, bundle('mine'))
    await expect(mallory.create(ClusterTrustBundle, bundle('example.com:s:x', 'example.com/s'))).rejects.toThrow(
      'user not permitted to attest for signerName "example.com/s"',
    )
    await expect(mallory.create(ClusterTrustBundle, { metadata: { name: 'bad' }, spec: { trustBundle: 'nothing' } })).rejects.toMatchObject(
      {
        code: 422,
      },
    )
    const request = await client.create(PodCertificateRequest, await certificateRequest({}))
    const verdict = { type: 'Denied', status: 'True', reason: 'No', message: 'no' }
    await expect(mallory.updateStatus(PodCertificateRequest, { ...request, status: { conditions: [verdict] } } as never)).rejects.toThrow(
      'spec.signerName: Forbidden: User "mallory" is not permitted to "sign" for signer "example.com/s"',
    )
    const denied = await client.updateStatus(PodCertificateRequest, { ...request, status: { conditions: [verdict] } } as never)
    expect(denied.status.conditions?.[0]?.lastTransitionTime).toBeDefined()
  })

  it('have a node ask for certificates for its own pods, as they are', async () => {
    await using cluster = await startCluster({ nodes: 1, ...everything })
    const { client } = cluster
    await client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'i' }] } } as never)
    const pod = () => client.get(Pod, { name: 'p', namespace: 'default' })
    await cluster.until(async () => (await pod()).spec.nodeName === 'node-1')
    const account = await client.get(ServiceAccount, { name: 'default', namespace: 'default' })
    const node = await client.get(Node, { name: 'node-1' })
    const uids = { podUID: (await pod()).metadata.uid, serviceAccountUID: account.metadata.uid, nodeUID: node.metadata.uid }
    const asked = await certificateRequest({ nodeName: 'node-1', ...uids })
    const kubelet = (name: string) => cluster.clientFor({ name: `system:node:${name}`, groups: ['system:nodes'] })

    const made = await kubelet('node-1').create(PodCertificateRequest, asked)
    const own = { namespace: 'default', fieldSelector: 'spec.nodeName=node-1' }
    expect((await kubelet('node-1').list(PodCertificateRequest, own)).items.map(({ metadata }) => metadata.name)).toEqual(['r'])
    await expect(kubelet('node-2').list(PodCertificateRequest, own)).rejects.toMatchObject({ code: 403 })
    await expect(kubelet('node-2').create(PodCertificateRequest, asked)).rejects.toThrow(
      'PodCertificateRequest.Spec.NodeName="node-1", which is not the requesting node "node-2"',
    )
    await expect(kubelet('node-1').updateStatus(PodCertificateRequest, made)).rejects.toMatchObject({ code: 403 })
    const another = { ...asked, metadata: { ...asked.metadata, name: 'r2' } }
    const wrong = (spec: object) =>
      kubelet('node-1').create(PodCertificateRequest, { ...another, spec: { ...asked.spec, ...spec } } as never)
    await expect(wrong({ podUID: 'earlier' })).rejects.toThrow('contains pod UID ("earlier") which differs from running pod')
    await expect(wrong({ podName: 'gone' })).rejects.toMatchObject({ code: 500 })
    await expect(wrong({ serviceAccountName: 'admin' })).rejects.toThrow(
      'contains serviceAccountName ("admin") that differs from running pod',
    )
    await expect(wrong({ serviceAccountUID: 'x' })).rejects.toThrow('which differs from the running service account')
    await expect(wrong({ nodeUID: 'x' })).rejects.toThrow('inconsistent with the running node')
  }, 20_000)
})
