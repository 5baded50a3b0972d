import type { Informers } from '#client/informers/informer.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import type { BoundObjects } from './service-account-token.ts'
import type { PodFacts } from './token-request.ts'

/** Finds what tokens are bound to in the server's own caches. */
export function boundObjects(informers: Informers): BoundObjects & PodFacts {
  const caches = {
    ServiceAccount: informers.of(ServiceAccount),
    Pod: informers.of(Pod),
    Secret: informers.of(Secret),
    Node: informers.of(Node),
  }
  return {
    nodeOf: (namespace, pod) => caches.Pod.get(namespace, pod)?.spec.nodeName,
    accountOf: (namespace, pod) => caches.Pod.get(namespace, pod)?.spec.serviceAccountName,
    find(kind, namespace, name) {
      const meta = caches[kind].get(namespace, name)?.metadata
      if (!meta) return undefined
      const { uid = '', deletionTimestamp } = meta
      return { uid, ...(deletionTimestamp ? { deletedAt: Date.parse(deletionTimestamp) } : {}) }
    },
  }
}
