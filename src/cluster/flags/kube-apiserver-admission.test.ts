import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { readCommandLine } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { admissionByFlags } from './kube-apiserver-admission.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'admission-'))
  const server = '{name: c, cluster: {server: "https://127.0.0.1:1"}}'
  write(
    'webhook.conf',
    `clusters: [${server}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n`,
  )
})
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

function read(...args: string[]) {
  const line = readCommandLine(kubeApiserver, args, 'v1')
  if (line.do !== 'run') throw new Error(line.text)
  return admissionByFlags(line.values, realClock())
}

const configured = (text: string) => read(`--admission-control-config-file=${write('admission.yaml', text)}`).configured
const whole = (plugins: string) => `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n${plugins}`
const LIMITS = 'apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\nlimits:\n- {type: User, qps: 5, burst: 10}\n'
const limits = [{ type: 'User', qps: 5, burst: 10 }]
const inline = (text: string) => text.replaceAll(/^/gm, '    ')

it('reads what a plugin is told from a file beside, or from the file itself', () => {
  write('limits.yaml', LIMITS)
  expect(configured(whole('- {name: EventRateLimit, path: limits.yaml}\n'))?.eventRateLimit).toEqual({ limits })
  expect(configured(whole(`- name: EventRateLimit\n  configuration:\n${inline(LIMITS)}`))?.eventRateLimit).toEqual({ limits })
})

it('reads where images are asked about, also from a file that says nothing else', () => {
  const policy = `imagePolicy: {kubeConfigFile: ${directory}/webhook.conf, allowTTL: 50}\n`
  write('images.yaml', policy)
  for (const text of [policy, whole('- {name: ImagePolicyWebhook, path: images.yaml}\n')]) {
    const { config, target } = configured(text)!.imagePolicyWebhook!
    expect([config.imagePolicy.allowTTL, target.server]).toEqual([50, 'https://127.0.0.1:1'])
  }
})

it('names the file, the place and the value of what cannot be', () => {
  write('limits.yaml', LIMITS.replace('qps: 5', 'qps: 0').replace('User', 'Users'))
  const beside = () => configured(whole('- {name: EventRateLimit, path: limits.yaml}\n'))
  expect(beside).toThrow(`${directory}/limits.yaml:4:4: limits[0].type: Unsupported value: "Users"`)
  expect(beside).toThrow(`${directory}/limits.yaml:4:17: limits[0].qps: Invalid value: 0: must be positive`)
  expect(() => configured(whole(`- name: EventRateLimit\n  configuration:\n${inline(LIMITS.replace('burst', 'bursts'))}`))).toThrow(
    `${directory}/admission.yaml:9:28: unknown field "limits[0].bursts"; did you mean burst?`,
  )
  expect(() => configured(`imagePolicy: {kubeConfigFile: ${directory}/webhook.conf, denyTTL: 3600}\n`)).toThrow(
    'imagePolicy.denyTTL: Invalid value: 3600: valid value is between 1s and 30m0s',
  )
  expect(() => configured(`imagePolicy: {kubeConfigFile: ${directory}/absent.conf}\n`)).toThrow(`${directory}/absent.conf`)
  expect(() => configured(whole('- {name: EventRateLimit, path: absent.yaml}\n'))).toThrow(
    `${directory}/absent.yaml cannot be read (ENOENT)`,
  )
})

it('reads what pods may where their namespace does not say', () => {
  const text = whole(`- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: baseline, enforce-version: v1.30}
    exemptions: {namespaces: [kube-system]}
- name: PodNodeSelector
  configuration: {podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: env=dev}}
- name: PodTolerationRestriction
  configuration:
    apiVersion: podtolerationrestriction.admission.k8s.io/v1alpha1
    kind: Configuration
    default: [{key: a, operator: Exists}]
`)
  expect(configured(text)).toMatchObject({
    podSecurity: { defaults: { enforce: 'baseline', 'enforce-version': 'v1.30' }, exemptions: { namespaces: ['kube-system'] } },
    podNodeSelector: { podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: 'env=dev' } },
    podTolerationRestriction: { default: [{ key: 'a', operator: 'Exists' }] },
  })
  const wrong = () => configured(text.replace('enforce: baseline', 'enforce: base').replace('[kube-system]', '[a, a, B_]'))
  expect(wrong).toThrow('admission.yaml:8:16: defaults.enforce: Invalid value: "base": must be one of privileged, baseline, restricted')
  expect(wrong).toThrow('exemptions.namespaces[1]: Duplicate value: "a"')
  expect(wrong).toThrow('exemptions.namespaces[2]: Invalid value: "B_"')
  expect(() => configured('podNodeSelectorPluginConfig: {shop: "a in ("}\n')).toThrow(
    'podNodeSelectorPluginConfig.shop: Invalid value: "a in ("',
  )
})

it('says what may be used only where a quota covers it', () => {
  const quota = (apiVersion: string, kind: string, operator = 'In') =>
    whole(`- name: ResourceQuota
  configuration:
    apiVersion: ${apiVersion}
    kind: ${kind}
    limitedResources:
    - resource: pods
      matchScopes: [{ scopeName: PriorityClass, operator: ${operator}, values: [urgent] }]
`)
  const limitedResources = [{ resource: 'pods', matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['urgent'] }] }]
  expect(configured(quota('apiserver.config.k8s.io/v1', 'ResourceQuotaConfiguration'))).toMatchObject({
    resourceQuota: { limitedResources },
  })
  expect(configured(quota('resourcequota.admission.k8s.io/v1beta1', 'Configuration'))).toMatchObject({
    resourceQuota: { limitedResources },
  })
  expect(() => configured(quota('apiserver.config.k8s.io/v1', 'ResourceQuotaConfiguration', 'Is'))).toThrow(
    'limitedResources[0].matchScopes[0].operator: Unsupported value: "Is"',
  )
})

it('does not pass over what it does not understand', () => {
  expect(() => configured(whole('- name: AlwaysPullImages\n  configuration: {a: b}\n'))).toThrow(
    'admission.yaml:5:3: the admission plugin AlwaysPullImages takes no configuration',
  )
})

it('reads who the server is to single webhooks', async () => {
  write('token', 'from-file\n')
  const users = [
    'a.ns.svc: {token: secret}',
    '"*.example.com": {username: me, password: word}',
    `b.ns.svc: {tokenFile: token}`,
    `c.ns.svc: {client-certificate-data: ${btoa('CERT')}, client-key-data: ${btoa('KEY')}}`,
  ].map(line => line.replace(/^(.+?): (.+)$/, '- {name: $1, user: $2}'))
  write(
    'hooks.conf',
    `apiVersion: v1\nkind: Config\nusers:\n${users.join('\n')}\ncontexts: [{name: x, context: {user: a.ns.svc}}]\ncurrent-context: x\n`,
  )
  const plugin = (form: string, name: string, file = `${directory}/hooks.conf`) =>
    whole(`- name: ${name}\n  configuration: {apiVersion: ${form}, kubeConfigFile: ${file}}\n`)
  const now = 'apiserver.config.k8s.io/v1, kind: WebhookAdmissionConfiguration'
  const { validatingWebhookUsers: read, mutatingWebhookUsers } = configured(plugin(now, 'ValidatingAdmissionWebhook'))!
  expect(mutatingWebhookUsers).toBeUndefined()
  const said = (name: string) => read!.users.get(name)!.authorization!()
  expect([await said('a.ns.svc'), await said('*.example.com'), await said('b.ns.svc')]).toEqual([
    'Bearer secret',
    `Basic ${btoa('me:word')}`,
    'Bearer from-file',
  ])
  expect(read!.users.get('c.ns.svc')!.certificate!()).toEqual({ certificate: 'CERT', privateKey: 'KEY' })
  expect(await read!.fallback!.authorization!()).toBe('Bearer secret')

  const before = 'apiserver.config.k8s.io/v1alpha1, kind: WebhookAdmission'
  expect(configured(plugin(before, 'MutatingAdmissionWebhook'))!.mutatingWebhookUsers!.users.size).toBe(4)
  expect(() => configured(plugin(now, 'MutatingAdmissionWebhook', 'hooks.conf'))).toThrow('kubeConfigFile: Invalid value: "hooks.conf"')
  expect(() => configured(plugin(now, 'MutatingAdmissionWebhook', `${directory}/none.conf`))).toThrow('none.conf cannot be used: ENOENT')
})

it('does not start a plugin that was not told what it needs', () => {
  for (const plugin of ['EventRateLimit', 'ImagePolicyWebhook']) {
    expect(() => read(`--enable-admission-plugins=${plugin}`)).toThrow(`the admission plugin ${plugin} has no configuration`)
  }
})
