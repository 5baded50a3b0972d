import { expect, it } from 'vitest'
import { cloudControllerManager } from './cloud-controller-manager.ts'
import { cloudControllerManagerConfiguration, kubeControllerManagerConfiguration } from './controllers-configuration.ts'
import { type FlagSections, type FlagValues, type Program, readCommandLine } from './flag-set.ts'
import { kubeControllerManager } from './kube-controller-manager.ts'

function valuesOf<S extends FlagSections>(program: Program<S>, ...args: string[]): FlagValues<S> {
  const line = readCommandLine(program, args, 'v0')
  if (line.do !== 'run') throw new Error(line.text)
  return line.values
}

it('/configz of the controller manager shows its flags as upstream’s configuration has them', () => {
  const shown = kubeControllerManagerConfiguration(
    valuesOf(kubeControllerManager, '--controllers=*,-ttl-controller', '--node-monitor-grace-period=90s', '--leader-elect=false'),
  )
  expect(shown).toMatchObject({
    Generic: { Port: 10257, Controllers: ['*', '-ttl-controller'], LeaderElection: { leaderElect: false, leaseDuration: '15s' } },
    KubeCloudShared: { NodeMonitorPeriod: '5s', ClusterName: 'kubernetes' },
    NodeLifecycleController: { NodeMonitorGracePeriod: '1m30s', NodeEvictionRate: 0.1 },
    HPAController: { HorizontalPodAutoscalerSyncPeriod: '15s', HorizontalPodAutoscalerTolerance: 0.1 },
    CSRSigningController: { ClusterSigningDuration: '8760h0m0s', KubeletServingSignerConfiguration: { CertFile: '', KeyFile: '' } },
  })
  expect(JSON.stringify(shown)).not.toContain('undefined')
})

it('/configz of the cloud controller manager does so, too', () => {
  expect(cloudControllerManagerConfiguration(valuesOf(cloudControllerManager, '--cloud-provider=local'))).toMatchObject({
    Generic: { Port: 10258, LeaderElection: { resourceName: 'cloud-controller-manager' } },
    KubeCloudShared: { CloudProvider: { Name: 'local' }, RouteReconciliationPeriod: '10s' },
    NodeStatusUpdateFrequency: '5m0s',
  })
})
