import { BOOL, type CelType, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP } from '#base/languages/cel/types.ts'

const strings = listOf(STRING)
const texts = mapOf(STRING, STRING)
const groupVersionKind = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const groupVersionResource = objectType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })

/** The type of the variable `request`: an AdmissionRequest without its uid and objects. */
export const ADMISSION_REQUEST_TYPE: CelType = objectType('kubernetes.AdmissionRequest', {
  kind: groupVersionKind,
  resource: groupVersionResource,
  subResource: STRING,
  requestKind: groupVersionKind,
  requestResource: groupVersionResource,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: objectType('kubernetes.UserInfo', { username: STRING, uid: STRING, groups: strings, extra: mapOf(STRING, strings) }),
  dryRun: BOOL,
  options: DYN,
})

/** The type of the variable `namespaceObject`: what of a Namespace policies may look at. */
export const NAMESPACE_TYPE: CelType = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: texts,
    annotations: texts,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: strings,
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: strings }),
  status: objectType('kubernetes.NamespaceStatus', {
    conditions: listOf(
      objectType('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    ),
    phase: STRING,
  }),
})
