import { list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { ConfigKind } from './config-file.ts'

const name = (of: string) => `dev.typernetes.v1.${of}`

const LocalMachine = message(name('LocalMachine'), {
  name: required(1, string, 'As its node is called.'),
  addresses: required(2, list(string), 'Its own addresses in the cluster’s network.'),
  zone: omitempty(3, string),
  region: omitempty(4, string),
  instanceType: omitempty(5, string),
  networkNamespace: omitempty(6, string, 'Where its network is, if it is a namespace of this machine: routes are set there as well.'),
})

const LocalCloudConfiguration = message(name('LocalCloudConfiguration'), {
  machines: optional(1, list(LocalMachine), 'Absent: nobody keeps a list, and no machine is missed.'),
  loadBalancer: optional(
    2,
    message(name('LocalLoadBalancer'), {
      pool: required(1, list(string), 'Addresses for Services: 192.0.2.10-192.0.2.20, 192.0.2.0/28.'),
      link: required(2, string, 'The link of this machine that answers for them.'),
    }),
  ),
})
export interface LocalCloudConfiguration extends StoredOf<typeof LocalCloudConfiguration> {}

/** `--cloud-config` of `--cloud-provider=local`. */
export const localCloudConfiguration: ConfigKind<LocalCloudConfiguration> = {
  apiVersion: 'typernetes.dev/v1',
  kind: 'LocalCloudConfiguration',
  schema: LocalCloudConfiguration,
}
