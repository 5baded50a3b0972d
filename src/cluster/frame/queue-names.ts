/** What upstream calls the queue of a controller in metrics, by the controller's name: dashboards know them by it. */
const QUEUE_NAMES: Readonly<Record<string, string>> = {
  'bootstrap-signer-controller': 'bootstrap_signer_queue',
  'certificatesigningrequest-approving-controller': 'certificate',
  'certificatesigningrequest-signing-controller': 'certificate',
  'clusterrole-aggregation-controller': 'ClusterRoleAggregator',
  'cronjob-controller': 'cronjob',
  'daemonset-controller': 'daemonset',
  'deployment-controller': 'deployment',
  'disruption-controller': 'disruption',
  'endpoints-controller': 'endpoint',
  'endpointslice-controller': 'endpoint_slice',
  'endpointslice-mirroring-controller': 'endpoint_slice_mirroring',
  'ephemeral-volume-controller': 'ephemeral_volume',
  'horizontal-pod-autoscaler-controller': 'horizontalpodautoscaler',
  'job-controller': 'job',
  'namespace-controller': 'namespace',
  'persistentvolume-expander-controller': 'volume_expand',
  'persistentvolume-protection-controller': 'pvprotection',
  'persistentvolumeclaim-protection-controller': 'pvcprotection',
  'replicaset-controller': 'replicaset',
  'replicationcontroller-controller': 'replicationmanager',
  'resourceclaim-controller': 'resource_claim',
  'resourcequota-controller': 'resourcequota_primary',
  'root-ca-certificate-publisher-controller': 'root_ca_cert_publisher',
  'service-lb-controller': 'service',
  'serviceaccount-controller': 'serviceaccount',
  'serviceaccount-token-controller': 'serviceaccount_tokens_secret',
  'statefulset-controller': 'statefulset',
  'token-cleaner-controller': 'token_cleaner',
  'ttl-after-finished-controller': 'ttl_jobs_to_delete',
  'ttl-controller': 'ttlcontroller',
}

/** The name of a queue in metrics: upstream's, else its own. */
export function queueNameOf(controller: string): string {
  return QUEUE_NAMES[controller] ?? controller
}
