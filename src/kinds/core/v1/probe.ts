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
  command: omitempty(1, list(string), 'The command and its arguments; no shell is involved.'),
})
export interface ExecAction extends StoredOf<typeof ExecAction> {}

export const HTTPHeader = message('io.k8s.api.core.v1.HTTPHeader', {
  name: required(1, string, 'The name of the header.'),
  value: required(2, string, 'Its value.'),
})
export interface HTTPHeader extends StoredOf<typeof HTTPHeader> {}

export const HTTPGetAction = message('io.k8s.api.core.v1.HTTPGetAction', {
  path: defaulted(1, string, '/', 'The path of the URL.', 'value'),
  port: required(2, intOrString, 'The port, by number or by name.'),
  host: omitempty(3, string, "The host; the pod's address unless said otherwise."),
  scheme: defaulted(4, oneOf('HTTP', 'HTTPS'), 'HTTP', 'HTTP or HTTPS.', 'value'),
  httpHeaders: omitempty(5, list(HTTPHeader), 'Headers to send along.'),
})
export interface HTTPGetAction extends StoredOf<typeof HTTPGetAction> {}

export const TCPSocketAction = message('io.k8s.api.core.v1.TCPSocketAction', {
  port: required(1, intOrString, 'The port, by number or by name.'),
  host: omitempty(2, string, "The host; the pod's address unless said otherwise."),
})
export interface TCPSocketAction extends StoredOf<typeof TCPSocketAction> {}

export const GRPCAction = message('io.k8s.api.core.v1.GRPCAction', {
  port: required(1, int32, 'The port of the gRPC service.'),
  service: defaulted(2, string, '', 'The name of the service in the request.'),
})
export interface GRPCAction extends StoredOf<typeof GRPCAction> {}

export const ProbeHandler = message('io.k8s.api.core.v1.ProbeHandler', {
  exec: optional(1, ExecAction, 'Succeeds when the command ends with 0.'),
  httpGet: optional(2, HTTPGetAction, 'Succeeds with a status from 200 to 399.'),
  tcpSocket: optional(3, TCPSocketAction, 'Succeeds when the connection opens.'),
  grpc: optional(4, GRPCAction, 'Succeeds when the service says that it serves.'),
})
export interface ProbeHandler extends StoredOf<typeof ProbeHandler> {}

export const Probe = message('io.k8s.api.core.v1.Probe', {
  ...inline(1, ProbeHandler),
  initialDelaySeconds: omitempty(2, int32, 'How long after the start to wait first.'),
  timeoutSeconds: defaulted(3, int32, 1, 'How long an answer may take.', 'value'),
  periodSeconds: defaulted(4, int32, 10, 'How often to ask.', 'value'),
  successThreshold: defaulted(5, int32, 1, 'How many successes in a row make it good.', 'value'),
  failureThreshold: defaulted(6, int32, 3, 'How many failures in a row make it bad.', 'value'),
  terminationGracePeriodSeconds: optional(7, int64, 'How long the container may take to stop after a failure.'),
})
export interface Probe extends StoredOf<typeof Probe> {}
