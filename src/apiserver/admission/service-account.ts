import type { Random } from '#base/random/random.ts'
import type { Informers } from '#client/informers/informer.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import { isMirror } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin } from './admission.ts'

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_VOLUME_PREFIX = 'kube-api-access-'
/** Somewhat more than an hour: the server knows by it that the kubelet will renew the token. */
const TOKEN_SECONDS = 3_607
const ENFORCE_MOUNTABLE = 'kubernetes.io/enforce-mountable-secrets'

/** Gives every pod a service account, and its containers a token of it. */
export function serviceAccount(informers: () => Informers, random: Random): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    admit({ operation, kind, subresource, object, namespace }) {
      if (operation !== 'CREATE' || kind.kind !== 'Pod' || kind.group !== '' || subresource !== '') return
      const pod = object as Mutable<Pod>
      if (isMirror(pod as Pod)) return checkMirror(pod as Pod)
      pod.spec.serviceAccountName ||= 'default'
      pod.spec.serviceAccount = pod.spec.serviceAccountName
      const account = informers().of(ServiceAccount).get(namespace, pod.spec.serviceAccountName)
      if (!account) {
        const name = pod.spec.serviceAccountName
        throw refusal(pod as Pod, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`)
      }
      if (mountsToken(pod as Pod, account)) mountToken(pod, random)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
        pod.spec.imagePullSecrets = account.imagePullSecrets.map(secret => ({ ...secret }))
      }
    },
    validate({ operation, kind, subresource, object, namespace }) {
      if (operation !== 'CREATE' || kind.kind !== 'Pod' || kind.group !== '' || subresource !== '') return
      const pod = object as Pod
      if (isMirror(pod)) return
      const account = informers()
        .of(ServiceAccount)
        .get(namespace, pod.spec.serviceAccountName ?? '')
      if (account?.metadata.annotations?.[ENFORCE_MOUNTABLE] === 'true') checkSecrets(pod, account)
    },
  }
}

function refusal(pod: Pod, why: string) {
  return forbidden({ group: '', resource: 'pods' }, pod.metadata.name ?? '', why)
}

function checkMirror(pod: Pod): void {
  if (pod.spec.serviceAccountName) throw refusal(pod, 'a mirror pod may not reference service accounts')
  for (const { projected } of pod.spec.volumes ?? []) {
    if (projected?.sources?.some(source => source.serviceAccountToken)) {
      throw refusal(pod, 'a mirror pod may not use ServiceAccountToken volume projections')
    }
  }
}

function mountsToken(pod: Pod, account: ServiceAccount): boolean {
  return pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true
}

function mountToken(pod: Mutable<Pod>, random: Random): void {
  const existing = pod.spec.volumes?.find(volume => volume.name.startsWith(TOKEN_VOLUME_PREFIX))
  const name = existing?.name ?? `${TOKEN_VOLUME_PREFIX}${random.suffix(5)}`
  let isNeeded = false
  // By concat: an array that is spread has room for sixteen more, in every pod that is stored.
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers] as Mutable<Container>[]) {
    if (container.volumeMounts?.some(mount => mount.mountPath === TOKEN_PATH)) continue
    container.volumeMounts = (container.volumeMounts ?? []).concat({ name, readOnly: true, mountPath: TOKEN_PATH })
    isNeeded = true
  }
  if (isNeeded && !existing) pod.spec.volumes = (pod.spec.volumes ?? []).concat({ name, projected: tokenProjection() })
}

function tokenProjection() {
  return {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  }
}

/** An account that says so lets its pods use no secrets but its own. */
function checkSecrets(pod: Pod, account: ServiceAccount): void {
  const own = new Set((account.secrets ?? []).map(({ name }) => name))
  const why = (what: string, secret: string) =>
    refusal(
      pod,
      `${what}secret.secretName="${secret}" is not allowed because service account ${account.metadata.name} does not reference that secret`,
    )
  for (const { secret } of pod.spec.volumes ?? []) {
    if (secret?.secretName && !own.has(secret.secretName)) throw why('volume with ', secret.secretName)
  }
  for (const [what, containers] of [
    ['init container', pod.spec.initContainers ?? []],
    ['container', pod.spec.containers],
  ] as const) {
    for (const container of containers) {
      for (const { name, valueFrom } of container.env ?? []) {
        const secret = valueFrom?.secretKeyRef?.name
        if (secret && !own.has(secret)) throw why(`${what} ${container.name} with envVar ${name} referencing `, secret)
      }
      for (const { secretRef } of container.envFrom ?? []) {
        if (secretRef?.name && !own.has(secretRef.name)) throw why(`${what} ${container.name} with envFrom referencing `, secretRef.name)
      }
    }
  }
  const pulls = new Set((account.imagePullSecrets ?? []).map(({ name }) => name))
  for (const [index, { name }] of (pod.spec.imagePullSecrets ?? []).entries()) {
    if (!pulls.has(name)) {
      throw refusal(
        pod,
        `imagePullSecrets[${index}].name="${name}" is not allowed because service account ${account.metadata.name} does not reference that imagePullSecret`,
      )
    }
  }
}
