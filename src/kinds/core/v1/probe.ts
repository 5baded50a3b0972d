import {
  defaulted,
  inline,
  int32,
  int64,
  intOrString,
  list,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'

export const ExecAction = message('io.k8s.api.core.v1.ExecAction', {
  command: omitempty(1, list(string)),
})
export interface ExecAction extends StoredOf<typeof ExecAction> {}

export const HTTPHeader = message('io.k8s.api.core.v1.HTTPHeader', {
  name: required(1, string),
  value: required(2, string),
})
export interface HTTPHeader extends StoredOf<typeof HTTPHeader> {}

export const HTTPGetAction = message('io.k8s.api.core.v1.HTTPGetAction', {
  path: defaulted(1, string, '/', '', 'value'),
  port: required(2, intOrString),
  host: omitempty(3, string),
  scheme: defaulted(4, oneOf('HTTP', 'HTTPS'), 'HTTP', '', 'value'),
  httpHeaders: omitempty(5, list(HTTPHeader)),
})
export interface HTTPGetAction extends StoredOf<typeof HTTPGetAction> {}

export const TCPSocketAction = message('io.k8s.api.core.v1.TCPSocketAction', {
  port: required(1, intOrString),
  host: omitempty(2, string),
})
export interface TCPSocketAction extends StoredOf<typeof TCPSocketAction> {}

export const GRPCAction = message('io.k8s.api.core.v1.GRPCAction', {
  port: required(1, int32),
  service: defaulted(2, string, ''),
})
export interface GRPCAction extends StoredOf<typeof GRPCAction> {}

export const ProbeHandler = message('io.k8s.api.core.v1.ProbeHandler', {
  exec: optional(1, ExecAction),
  httpGet: optional(2, HTTPGetAction),
  tcpSocket: optional(3, TCPSocketAction),
  grpc: optional(4, GRPCAction),
})
export interface ProbeHandler extends StoredOf<typeof ProbeHandler> {}

export const Probe = message('io.k8s.api.core.v1.Probe', {
  ...inline(1, ProbeHandler),
  initialDelaySeconds: omitempty(2, int32),
  timeoutSeconds: defaulted(3, int32, 1, '', 'value'),
  periodSeconds: defaulted(4, int32, 10, '', 'value'),
  successThreshold: defaulted(5, int32, 1, '', 'value'),
  failureThreshold: defaulted(6, int32, 3, '', 'value'),
  terminationGracePeriodSeconds: optional(7, int64),
})
export interface Probe extends StoredOf<typeof Probe> {}
