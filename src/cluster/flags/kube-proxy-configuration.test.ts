import { expect, it } from 'vitest'
import { readConfig } from './config-file.ts'
import { kubeProxyConfiguration, withoutEffect } from './kube-proxy-configuration.ts'

it('a configuration says which of its fields do nothing here; what asks for nothing is not named', () => {
  const text = JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: '0.0.0.0',
    clientConnection: { kubeconfig: '/k', contentType: '', qps: 5 },
    mode: 'nftables',
    ipvs: { scheduler: 'rr', excludeCIDRs: null, syncPeriod: '0s', strictARP: false },
    conntrack: { maxPerCore: null, min: 1000 },
    detectLocalMode: 'BridgeInterface',
    detectLocal: { bridgeInterface: 'br0' },
  })
  expect(withoutEffect(readConfig(kubeProxyConfiguration, 'f', text))).toEqual([
    'ipvs.scheduler',
    'detectLocalMode',
    'detectLocal.bridgeInterface',
    'conntrack.min',
  ])
})
