import { message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ConfigMapNodeConfigSource = message('io.k8s.api.core.v1.ConfigMapNodeConfigSource', {
  namespace: required(1, string),
  name: required(2, string),
  uid: omitempty(3, string),
  resourceVersion: omitempty(4, string),
  kubeletConfigKey: required(5, string),
})
export interface ConfigMapNodeConfigSource extends StoredOf<typeof ConfigMapNodeConfigSource> {}

export const NodeConfigSource = message('io.k8s.api.core.v1.NodeConfigSource', {
  configMap: optional(2, ConfigMapNodeConfigSource),
})
export interface NodeConfigSource extends StoredOf<typeof NodeConfigSource> {}
