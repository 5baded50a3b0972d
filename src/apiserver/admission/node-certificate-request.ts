import type { Informers } from '#client/informers/informer.ts'
import type { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { MIRROR_ANNOTATION } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AdmissionRequest } from './admission.ts'

/**
 * Why a node may not ask for this certificate (KEP-4317): it asks for a pod that runs on it, under the names and uids of pod, node and service
 * account as they are. Throws where the server may only not have seen yet what the node has: the kubelet tries again.
 */
export function certificateRequestProblem(request: AdmissionRequest, node: string, informers: () => Informers): string | undefined {
  const { operation, subresource, namespace } = request
  if (operation !== 'CREATE') return `unexpected operation ${operation}`
  if (subresource !== '') return `unexpected subresource ${subresource}`
  const { spec } = request.object as unknown as PodCertificateRequest
  const named = 'named in the PodCertificateRequest'
  const [podKey, accountKey] = [quote(`${namespace}/${spec.podName}`), quote(`${namespace}/${spec.serviceAccountName}`)]
  const about = `PodCertificateRequest for pod ${podKey}`

  if (spec.nodeName !== node)
    return `PodCertificateRequest.Spec.NodeName=${quote(spec.nodeName)}, which is not the requesting node ${quote(node)}`
  const { uid: nodeUID } =
    informers().of(Node).get('', node)?.metadata ?? notSeen(`while retrieving node ${quote(node)} ${named}`, 'node', node)
  if (nodeUID !== spec.nodeUID)
    throw notYet(`${about} names node UID ${quote(spec.nodeUID)}, inconsistent with the running node (${quote(nodeUID ?? '')})`)

  const pod = informers().of(Pod).get(namespace, spec.podName) ?? notSeen(`while retrieving pod ${podKey} ${named}`, 'pod', spec.podName)
  const { uid: podUID = '', annotations = {} } = pod.metadata
  if (podUID !== spec.podUID)
    throw notYet(`${about} contains pod UID (${quote(spec.podUID)}) which differs from running pod ${quote(podUID)}`)
  if (pod.spec.nodeName !== node) return `pod ${podKey} is not running on node ${quote(node)} ${named}`
  if (annotations[MIRROR_ANNOTATION] !== undefined) return `pod ${podKey} is a mirror pod`

  const { serviceAccountName = '' } = pod.spec
  if (spec.serviceAccountName !== serviceAccountName)
    return `${about} contains serviceAccountName (${quote(spec.serviceAccountName)}) that differs from running pod (${quote(serviceAccountName)})`
  const account = informers().of(ServiceAccount).get(namespace, serviceAccountName)
  const { uid: accountUID = '' } =
    account?.metadata ?? notSeen(`while retrieving service account ${accountKey} ${named}`, 'serviceaccount', serviceAccountName)
  if (accountUID !== spec.serviceAccountUID)
    throw notYet(
      `${about} names service account UID ${quote(spec.serviceAccountUID)}, which differs from the running service account (${quote(accountUID)})`,
    )
  return undefined
}

function notSeen(doing: string, what: string, name: string): never {
  throw notYet(`${doing}: ${what} ${quote(name)} not found`)
}

function notYet(message: string): StatusError {
  return new StatusError({ code: 500, reason: '', message })
}
