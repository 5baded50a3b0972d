import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { AuthorizerSpec } from '../components/authorization.ts'
import { readCommandLine } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { authorizationByFlags } from './kube-apiserver-authorization.ts'

const clock = realClock()
// The machine may be busy with other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'authorization-'))
  write(
    'webhook.conf',
    'clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n',
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
  const registry = new Registry()
  return { registry, ...authorizationByFlags(line.values, line.given, { clock, log: silentLogger, registry, serverId: 'test' }) }
}

const chain = (order: string) => `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
${order}
- type: Webhook
  name: hook.example.com
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: ${directory}/webhook.conf}
    matchConditions:
    - expression: "'system:masters' in request.groups"
`
const NODE = '- {type: Node, name: node}\n'
const RBAC = '- {type: RBAC, name: rbac}\n'
const types = (specs: readonly AuthorizerSpec[]) => specs.map(({ type }) => type).join()

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await holds()) && turn < 2500; turn++) await new Promise(resolve => clock.after(20, () => resolve(undefined)))
}

describe('the chain of authorizers', () => {
  it('is that of the file, with what upstream fills in', () => {
    const { authorizers } = read(`--authorization-config=${write('chain.yaml', chain(NODE + RBAC))}`)
    expect(types(authorizers)).toBe('Node,RBAC,Webhook')
    expect(authorizers[2]).toMatchObject({
      name: 'hook.example.com',
      version: 'v1',
      authorizedMs: 300_000,
      unauthorizedMs: 30_000,
      timeoutMs: 3000,
      onFailure: 'deny',
    })
  })

  it('follows the file, but for what has to be there from the start', async () => {
    const file = write('changing.yaml', chain(NODE + RBAC))
    const { follow, registry } = read(`--authorization-config=${file}`)
    const seen: string[] = []
    using _following = follow(specs => seen.push(types(specs)))
    write('changing.yaml', chain(RBAC + NODE))
    await eventually(() => seen.length === 1)
    write('changing.yaml', chain('- {type: AlwaysAllow, name: all}\n'))
    await eventually(async () => (await registry.metrics()).includes('status="failure"'))
    expect(seen).toEqual(['RBAC,Node,Webhook'])
    expect(await registry.metrics()).toMatch(/apiserver_authorization_config_controller_automatic_reloads_total\{status="success",.*\} 1/)
  })

  it('is that of the flags', () => {
    expect(types(read('--authorization-mode=Node,RBAC').authorizers)).toBe('Node,RBAC')
    const spec = { apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec: { user: 'alice' } }
    const policies = write('policies.jsonl', JSON.stringify(spec))
    expect(types(read('--authorization-mode=ABAC', `--authorization-policy-file=${policies}`).authorizers)).toBe('ABAC')
  })

  it.each([
    [['--authorization-mode=RBCA'], 'authorization-mode "RBCA" is not a valid mode'],
    [['--authorization-mode=RBAC,RBAC'], 'authorization-mode "RBAC" is named twice'],
    [['--authorization-mode=Webhook'], 'does not know whom to ask'],
    [['--authorization-mode=ABAC'], 'ABAC knows no policies'],
    [['--authorization-config=/nowhere'], '--authorization-config: /nowhere cannot be read (ENOENT)'],
  ])('of %j is none: nobody is let in by mistake', (args, message) => {
    expect(() => read(...args)).toThrow(message)
  })

  it('is told by one of the two, not by both', () => {
    const file = write('both.yaml', chain(RBAC))
    expect(() => read(`--authorization-config=${file}`, '--authorization-mode=RBAC')).toThrow('can not be specified when')
  })
})
