import { bytes, defaulted, int32, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ServiceReference = message('io.k8s.api.admissionregistration.v1.ServiceReference', {
  namespace: required(1, string, 'The namespace of the service.'),
  name: required(2, string, 'The service.'),
  path: optional(3, string, 'The path of the URL.'),
  port: defaulted(4, int32, 443, 'The port of the service.'),
})
export interface ServiceReference extends StoredOf<typeof ServiceReference> {}

export const WebhookClientConfig = message('io.k8s.api.admissionregistration.v1.WebhookClientConfig', {
  url: optional(3, string, 'The URL; none if a service is named.'),
  service: optional(1, ServiceReference, 'The service.'),
  caBundle: omitempty(2, bytes, 'PEM certificates against which the server is verified.'),
})
export interface WebhookClientConfig extends StoredOf<typeof WebhookClientConfig> {}
