/** Where upstream's documents say something that its types, and so the declarations of the kinds, do not. */
export interface Exception {
  readonly required?: boolean
  /** `null`: no default is shown. */
  readonly default?: unknown
  readonly hasListType?: boolean
  /** Shown beside a map or message that has no map type of its own. */
  readonly mapType?: 'granular' | 'atomic'
}

/** What is different about a field of a type, if anything. */
export function exceptionFor(type: string, field: string): Exception | undefined {
  const fields = EXCEPTIONS[type]
  return fields && Object.hasOwn(fields, field) ? fields[field] : undefined
}

const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, Exception>>>> = {
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding': {
    spec: { required: true },
  },
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec': {
    policyName: { default: null },
    validationActions: { required: true },
  },
  'io.k8s.api.authentication.v1.TokenReview': {
    spec: { required: true },
  },
  'io.k8s.api.authentication.v1.TokenReviewSpec': {
    token: { default: null },
  },
  'io.k8s.api.authorization.v1.LocalSubjectAccessReview': {
    spec: { required: true },
  },
  'io.k8s.api.authorization.v1.SelfSubjectAccessReview': {
    spec: { required: true },
  },
  'io.k8s.api.authorization.v1.SelfSubjectRulesReview': {
    spec: { required: true },
  },
  'io.k8s.api.authorization.v1.SubjectAccessReview': {
    spec: { required: true },
  },
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler': {
    spec: { required: true },
  },
  'io.k8s.api.autoscaling.v1.ScaleSpec': {
    replicas: { default: 0 },
  },
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler': {
    spec: { required: true },
  },
  'io.k8s.api.batch.v1.CronJob': {
    spec: { required: true },
  },
  'io.k8s.api.certificates.v1.CertificateSigningRequest': {
    spec: { required: true },
  },
  'io.k8s.api.core.v1.AzureDiskVolumeSource': {
    cachingMode: { default: 'ReadWrite' },
    fsType: { default: 'ext4' },
    kind: { default: 'Shared' },
    readOnly: { default: false },
  },
  'io.k8s.api.core.v1.ConfigMapEnvSource': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.ConfigMapKeySelector': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.ConfigMapProjection': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.ConfigMapVolumeSource': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.ContainerPort': {
    protocol: { default: 'TCP' },
  },
  'io.k8s.api.core.v1.ContainerRestartRule': {
    action: { default: null },
  },
  'io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes': {
    operator: { default: null },
  },
  'io.k8s.api.core.v1.Event': {
    metadata: { required: true },
  },
  'io.k8s.api.core.v1.FileKeySelector': {
    optional: { default: false },
  },
  'io.k8s.api.core.v1.GRPCAction': {
    service: { default: '' },
  },
  'io.k8s.api.core.v1.ISCSIPersistentVolumeSource': {
    iscsiInterface: { default: 'default' },
  },
  'io.k8s.api.core.v1.ISCSIVolumeSource': {
    iscsiInterface: { default: 'default' },
  },
  'io.k8s.api.core.v1.LocalObjectReference': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.PodCertificateProjection': {
    keyType: { default: null },
    signerName: { default: null },
  },
  'io.k8s.api.core.v1.RBDPersistentVolumeSource': {
    keyring: { default: '/etc/ceph/keyring' },
    pool: { default: 'rbd' },
    user: { default: 'admin' },
  },
  'io.k8s.api.core.v1.RBDVolumeSource': {
    keyring: { default: '/etc/ceph/keyring' },
    pool: { default: 'rbd' },
    user: { default: 'admin' },
  },
  'io.k8s.api.core.v1.ReplicationControllerSpec': {
    replicas: { default: 1 },
  },
  'io.k8s.api.core.v1.ScaleIOPersistentVolumeSource': {
    fsType: { default: 'xfs' },
    storageMode: { default: 'ThinProvisioned' },
  },
  'io.k8s.api.core.v1.ScaleIOVolumeSource': {
    fsType: { default: 'xfs' },
    storageMode: { default: 'ThinProvisioned' },
  },
  'io.k8s.api.core.v1.SecretEnvSource': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.SecretKeySelector': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.SecretProjection': {
    name: { default: '' },
  },
  'io.k8s.api.core.v1.ServicePort': {
    protocol: { default: 'TCP' },
  },
  'io.k8s.api.flowcontrol.v1.FlowSchemaSpec': {
    matchingPrecedence: { default: 0 },
  },
  'io.k8s.api.flowcontrol.v1.QueuingConfiguration': {
    handSize: { default: 0 },
    queueLengthLimit: { default: 0 },
    queues: { default: 0 },
  },
  'io.k8s.api.networking.v1.IPAddress': {
    spec: { required: true },
  },
  'io.k8s.api.networking.v1.ParentReference': {
    name: { default: null },
    resource: { default: null },
  },
  'io.k8s.api.resource.v1.CounterSet': {
    counters: { required: true },
  },
  'io.k8s.api.resource.v1.DeviceClass': {
    spec: { required: true },
  },
  'io.k8s.api.resource.v1.DeviceCounterConsumption': {
    counters: { required: true },
  },
  'io.k8s.api.resource.v1.DeviceToleration': {
    operator: { default: 'Equal' },
  },
  'io.k8s.api.resource.v1.ResourceClaim': {
    spec: { required: true },
  },
  'io.k8s.api.resource.v1.ResourceClaimTemplate': {
    spec: { required: true },
  },
  'io.k8s.api.resource.v1.ResourceSlice': {
    spec: { required: true },
  },
  'io.k8s.api.storage.v1.CSIDriver': {
    spec: { required: true },
  },
  'io.k8s.api.storage.v1.CSINode': {
    spec: { required: true },
  },
  'io.k8s.api.storage.v1.VolumeAttachment': {
    spec: { required: true },
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition': {
    spec: { required: true },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup': {
    preferredVersion: { default: {} },
  },
  'io.k8s.apimachinery.pkg.apis.meta.v1.APIResource': {
    verbs: { hasListType: false },
  },
  'io.k8s.api.core.v1.PersistentVolumeClaimStatus': {
    allocatedResourceStatuses: { mapType: 'granular' },
  },
  'io.k8s.api.core.v1.PersistentVolumeSpec': {
    claimRef: { mapType: 'granular' },
  },
}
