import type { GatedField } from '#machinery/kind/kind.ts'

/** The fields of a pod's spec, which stands at `spec`, that feature gates decide over. */
export function gatedPodFields(spec: string): readonly GatedField[] {
  const fields = (gate: string, ...paths: string[]) => paths.map(path => ({ gate, path: `${spec}.${path}` }))
  return [
    ...fields('ClusterTrustBundleProjection', 'volumes[].projected.sources[].clusterTrustBundle'),
    ...fields(
      'ContainerRestartRules',
      'containers[].restartPolicy',
      'containers[].restartPolicyRules',
      'initContainers[].restartPolicyRules',
    ),
    ...fields('ContainerStopSignals', 'containers[].lifecycle.stopSignal', 'initContainers[].lifecycle.stopSignal'),
    ...fields(
      'EnvFiles',
      'containers[].env[].valueFrom.fileKeyRef',
      'initContainers[].env[].valueFrom.fileKeyRef',
      'ephemeralContainers[].env[].valueFrom.fileKeyRef',
    ),
    ...fields('GenericWorkload', 'schedulingGroup'),
    ...fields('HostnameOverride', 'hostnameOverride'),
    ...fields('MatchLabelKeysInPodTopologySpread', 'topologySpreadConstraints[].matchLabelKeys'),
    ...fields('PodCertificateRequest', 'volumes[].projected.sources[].podCertificate'),
    ...fields('PodLevelResources', 'resources'),
  ]
}

/** What a pod's status tells behind feature gates. */
export const gatedPodStatusFields: readonly GatedField[] = [
  { gate: 'DRAExtendedResource', path: 'status.extendedResourceClaimStatus' },
  { gate: 'DRANodeAllocatableResources', path: 'status.nodeAllocatableResourceClaimStatuses' },
  ...['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'].flatMap(list => [
    { gate: 'ImageVolumeWithDigest', path: `status.${list}[].volumeMounts[].volumeStatus` },
    { gate: 'ResourceHealthStatus', path: `status.${list}[].allocatedResourcesStatus` },
  ]),
]
