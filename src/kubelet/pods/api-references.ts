import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informers/informer.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { PodReferences } from './environment.ts'

/** Looks up what pods refer to in the API: config maps and secrets as they are now, Services as last seen. */
export function apiReferences(client: Client, services: Informer<Service>): PodReferences {
  return {
    configMap: (namespace, name) => client.get(ConfigMap, { namespace, name }),
    secret: (namespace, name) => client.get(Secret, { namespace, name }),
    services: () => services.list(),
  }
}
