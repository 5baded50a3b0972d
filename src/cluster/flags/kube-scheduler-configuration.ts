import { KubeSchedulerConfiguration } from '#scheduler/configuration/scheduler-configuration.ts'
import type { ConfigKind } from './config-file.ts'

/** What `kube-scheduler --config` reads. */
export const kubeSchedulerConfiguration: ConfigKind<KubeSchedulerConfiguration> = {
  apiVersion: 'kubescheduler.config.k8s.io/v1',
  kind: 'KubeSchedulerConfiguration',
  schema: KubeSchedulerConfiguration,
}
