import { bytes, defaulted, int32, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ServiceReference = message('io.k8s.api.admissionregistration.v1.ServiceReference', {
  namespace: required(1, string),
  name: required(2, string),
  path: optional(3, string),
  port: defaulted(4, int32, 443),
})
export interface ServiceReference extends StoredOf<typeof ServiceReference> {}

export const WebhookClientConfig = message('io.k8s.api.admissionregistration.v1.WebhookClientConfig', {
  url: optional(3, string),
  service: optional(1, ServiceReference),
  caBundle: omitempty(2, bytes, 'PEM certificates against which the server is verified.'),
})
export interface WebhookClientConfig extends StoredOf<typeof WebhookClientConfig> {}
