import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informers/informer.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { PodReferences } from './environment.ts'

/** Looks up what pods refer to in the API: what it names as it is now, Services as last seen. */
export function apiReferences(client: Client, services: Informer<Service>): PodReferences {
  return {
    configMap: (namespace, name) => client.get(ConfigMap, { namespace, name }),
    secret: (namespace, name) => client.get(Secret, { namespace, name }),
    claim: (namespace, name) => client.get(PersistentVolumeClaim, { namespace, name }),
    persistentVolume: name => client.get(PersistentVolume, { name }),
    services: () => services.list(),
  }
}
