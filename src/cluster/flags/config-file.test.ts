import { describe, expect, it } from 'vitest'
import { placeOf, readConfig } from './config-file.ts'
import { kubeProxyConfiguration } from './kube-proxy-configuration.ts'
import { kubeSchedulerConfiguration } from './kube-scheduler-configuration.ts'
import { kubeletConfiguration, withoutEffect } from './kubelet-configuration.ts'

const scheduler = (body: string) =>
  readConfig(kubeSchedulerConfiguration, 'c.yaml', `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${body}`)

describe('a configuration file', () => {
  it('is read with its defaults', () => {
    const config = scheduler('profiles:\n- schedulerName: a\n  plugins:\n    score:\n      enabled: [{name: ImageLocality, weight: 7}]\n')
    expect(config).toMatchObject({
      podMaxBackoffSeconds: 10,
      profiles: [{ schedulerName: 'a', plugins: { score: { enabled: [{ name: 'ImageLocality', weight: 7 }] } } }],
    })
  })

  it.each([
    [
      'profiles:\n- schedulerName: a\n  plugins:\n    scoer: {}\n',
      'c.yaml:6:5: unknown field "profiles[0].plugins.scoer"; did you mean score?',
    ],
    ['podMaxBackoffSeconds: soon\n', 'c.yaml:3:1: podMaxBackoffSeconds is a string, and must be a int32'],
    ['profiles:\n- schedulerName: [a]\n', 'c.yaml:4:3: profiles.schedulerName is a array, and must be a string'],
    ['profiles: [\n', 'c.yaml:4:1: yaml: '],
  ])('says where %j is wrong', (body, message) => expect(() => scheduler(body)).toThrow(message))

  it('has a place for everything, also for what is not there', () => {
    const text = 'profiles:\n- schedulerName: a\n  plugins: {}\n'
    expect(placeOf(text, 'profiles[0].plugins.score', 'f')).toBe('f:3:3')
    expect(placeOf(text, 'profiles[1].schedulerName', 'f')).toBe('f:1:1')
    expect(placeOf(text, 'nothing', 'f')).toBe('f:1:1')
  })

  it('must be of the kind and version that the program reads', () => {
    expect(() => readConfig(kubeProxyConfiguration, 'p', 'apiVersion: v1\nkind: Pod\n')).toThrow(
      'p:2:1: kind must be KubeProxyConfiguration',
    )
    expect(() => readConfig(kubeProxyConfiguration, 'p', 'kind: KubeProxyConfiguration\n')).toThrow(
      'p:1:1: apiVersion must be kubeproxy.config.k8s.io/v1alpha1',
    )
    expect(() => readConfig(kubeProxyConfiguration, 'p', '[]')).toThrow('p:1:1: a KubeProxyConfiguration was expected here')
  })

  it('of a kubelet may say what has no effect here', () => {
    const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
    const config = readConfig(kubeletConfiguration, 'k', `${head}clusterDNS: [10.96.0.10]\ncgroupDriver: systemd\nmaxPods: 5\n`)
    expect(config).toMatchObject({ clusterDNS: ['10.96.0.10'], maxPods: 5 })
    expect(withoutEffect(config)).toEqual(['cgroupDriver'])
  })
})
