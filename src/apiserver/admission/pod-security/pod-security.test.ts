import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { decodeObject } from '../../registry/body.ts'
import { defaultPolicy } from './configuration.ts'
import { detailText, reasonText, violationsOf } from './evaluate.ts'
import { type Level, policyOf, policyText } from './policy.ts'

const container = (securityContext?: object, more: object = {}) => ({
  name: 'c',
  image: 'i',
  ...(securityContext ? { securityContext } : {}),
  ...more,
})
const podOf = (spec: object, annotations: Record<string, string> = {}) => ({
  annotations,
  spec: (decodeObject(Pod, { metadata: { name: 'p' }, spec: { containers: [container()], ...spec } }) as Pod).spec,
})
const said = (level: Level, spec: object, version: 'latest' | number = 'latest') =>
  detailText(violationsOf({ level, version }, podOf(spec)))

const GOOD = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [container({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })],
}

describe('baseline', () => {
  it.each([
    [{}, ''],
    [{ containers: [container({ privileged: true })] }, 'privileged (container "c" must not set securityContext.privileged=true)'],
    [{ hostNetwork: true, hostIPC: true }, 'host namespaces (hostNetwork=true, hostIPC=true)'],
    [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "h")'],
    [
      { containers: [container({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } })] },
      'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [{ containers: [container(undefined, { ports: [{ containerPort: 80, hostPort: 80 }] })] }, 'hostPort (container "c" uses hostPort 80)'],
    [
      { containers: [container(undefined, { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } })] },
      'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
    ],
    [
      { securityContext: { seLinuxOptions: { type: 'custom', user: 'u', role: 'r' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "custom"; user may not be set; role may not be set)',
    ],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
  ])('%j', (spec, text) => {
    expect(said('baseline', spec)).toBe(text)
    expect(said('privileged', spec)).toBe('')
  })

  it('is as strict as it was in the version that is named', () => {
    const spec = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } }
    expect(said('baseline', spec)).toBe('')
    expect(said('baseline', spec, 31)).toBe('forbidden sysctls (net.ipv4.tcp_rmem)')
  })
})

describe('restricted', () => {
  it('asks for what is good practice', () => {
    expect(said('restricted', GOOD)).toBe('')
    expect(reasonText(violationsOf({ level: 'restricted', version: 'latest' }, podOf({})))).toBe(
      'allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile',
    )
  })

  it('says a thing once where a check of the baseline has a stricter one', () => {
    expect(said('restricted', { ...GOOD, volumes: [{ name: 'h', hostPath: { path: '/' } }] })).toBe(
      'restricted volume types (volume "h" uses restricted volume type "hostPath")',
    )
  })

  it('lets root be root in a pod with users of its own', () => {
    const spec = { ...GOOD, hostUsers: false, securityContext: { ...GOOD.securityContext, runAsNonRoot: false, runAsUser: 0 } }
    expect(said('restricted', spec)).toBe('')
    expect(said('restricted', spec, 34)).toBe(
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0)',
    )
  })
})

describe('the labels of a namespace', () => {
  it('name a level and a version for each mode', () => {
    const labels = {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/enforce-version': 'v1.30',
      'pod-security.kubernetes.io/warn': 'restricted',
    }
    const { policy, errors } = policyOf(labels)
    expect([policy.enforce, policy.audit].map(policyText)).toEqual(['baseline:v1.30', 'privileged:latest'])
    expect(policy.warn.level).toBe('restricted')
    expect(errors.isEmpty).toBe(true)
  })

  it('enforce the strictest level if they are mistyped', () => {
    const { policy, errors } = policyOf({ 'pod-security.kubernetes.io/enforce': 'bogus' })
    expect(policy.enforce.level).toBe('restricted')
    expect(errors.all.map(({ field }) => field)).toEqual(['metadata.labels[pod-security.kubernetes.io/enforce]'])
  })
})

it('takes from the configuration what labels do not say', () => {
  const defaults = defaultPolicy({ defaults: { enforce: 'baseline', 'enforce-version': 'v1.30', warn: 'restricted' } })
  const text = (labels: Record<string, string>) => {
    const { enforce, warn, audit } = policyOf(labels, defaults).policy
    return [enforce, warn, audit].map(policyText)
  }
  expect(text({})).toEqual(['baseline:v1.30', 'restricted:latest', 'privileged:latest'])
  expect(text({ 'pod-security.kubernetes.io/enforce': 'privileged' })).toEqual([
    'privileged:v1.30',
    'restricted:latest',
    'privileged:latest',
  ])
})
