import { message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ConfigMapNodeConfigSource = message('io.k8s.api.core.v1.ConfigMapNodeConfigSource', {
  namespace: required(1, string, 'The namespace of the ConfigMap.'),
  name: required(2, string, 'The name of the ConfigMap.'),
  uid: omitempty(3, string, 'The uid of the ConfigMap; in the status alone.'),
  resourceVersion: omitempty(4, string, 'The version of the ConfigMap; in the status alone.'),
  kubeletConfigKey: required(5, string, 'The key with the configuration.'),
})
export interface ConfigMapNodeConfigSource extends StoredOf<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = message('io.k8s.api.core.v1.NodeConfigSource', {
  configMap: optional(2, ConfigMapNodeConfigSource, "The ConfigMap with the kubelet's configuration."),
})
export interface NodeConfigSource extends StoredOf<typeof NodeConfigSource> {}
