import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'

/** Where the accounts of controllers are. */
const NAMESPACE = 'kube-system'
const LIFETIME_SECONDS = 3600

/** A token of a service account, asked for when it is first needed and anew before it ends; the account is made if it is missing. */
export function accountToken(client: Client, clock: Clock, account: string): () => Promise<string> {
  let token = ''
  let renewAtMs = Number.NEGATIVE_INFINITY
  let asking: Promise<string> | undefined
  const ask = async () => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: LIFETIME_SECONDS } }
    const target = { namespace: NAMESPACE, name: account }
    const request = () => client.subresource(ServiceAccount, target, { subresource: 'token', verb: 'create', body })
    const answer = (await request().catch(async error => {
      if (!isNotFound(error)) throw error
      await client.create(ServiceAccount, { metadata: target }).catch(failure => {
        if (!isAlreadyExists(failure)) throw failure
      })
      return request()
    })) as { status: { token: string; expirationTimestamp: string } }
    token = answer.status.token
    renewAtMs = clock.monotonic() + 0.8 * (Date.parse(answer.status.expirationTimestamp) - clock.now())
    return token
  }
  return () => {
    if (clock.monotonic() < renewAtMs) return Promise.resolve(token)
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
}

/** The service account that a controller acts as: most are named as it is; some accounts are older than the names. */
export function accountOf(controller: string): string {
  return ACCOUNTS[controller] ?? controller
}

const ACCOUNTS: Readonly<Record<string, string>> = {
  'replicationcontroller-controller': 'replication-controller',
  'daemonset-controller': 'daemon-set-controller',
  'serviceaccount-controller': 'service-account-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'pod-garbage-collector-controller': 'pod-garbage-collector',
  'node-lifecycle-controller': 'node-controller',
  'node-ipam-controller': 'node-controller',
  'taint-eviction-controller': 'node-controller',
  'horizontal-pod-autoscaler-controller': 'horizontal-pod-autoscaler',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'endpoints-controller': 'endpoint-controller',
  'endpointslice-mirroring-controller': 'endpointslicemirroring-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'persistentvolume-binder-controller': 'persistent-volume-binder',
  'persistentvolume-attach-detach-controller': 'attachdetach-controller',
  'persistentvolume-expander-controller': 'expand-controller',
  'persistentvolumeclaim-protection-controller': 'pvc-protection-controller',
  'persistentvolume-protection-controller': 'pv-protection-controller',
  'resourceclaim-controller': 'resource-claim-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'token-cleaner-controller': 'token-cleaner',
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'service-cidr-controller': 'service-cidrs-controller',
  'podcertificaterequest-cleaner-controller': 'podcertificaterequestcleaner',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller': 'kube-apiserver-serving-clustertrustbundle-publisher',
  'storageversion-garbage-collector-controller': 'storage-version-garbage-collector',
}
