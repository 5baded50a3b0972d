import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { endProcess, type RunningProcess, startDetached } from '#base/process/running-process.ts'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'

/* A registry with a password on the machine's loopback address, an image that was made of a folder, and pods that name it. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 't8s-registry-'))
const name = `reg${process.pid % 10_000}`
const PORT = 15_031
const IMAGE = `127.0.0.1:${PORT}/team/site:1`
const t8s = (...args: string[]) =>
  run(join(root, 't8s'), [...args, '--name', name, '--data-dir', join(folder, 'data')], { timeoutMs: 170_000 })
let registry: RunningProcess
let kubectl: Kubectl

beforeAll(async () => {
  registry = await startRegistry()
  mkdirSync(join(folder, 'site'))
  writeFileSync(join(folder, 'site/index.html'), 'a site\n')
  await t8s('up')
  const archive = join(folder, 'site.tar')
  await t8s(
    'image',
    'build',
    join(folder, 'site'),
    '--into',
    '/www',
    '--tag',
    IMAGE,
    '--cmd',
    'httpd -f -p 8080 -h /www',
    '--file',
    archive,
  )
  const target = `docker://${IMAGE}`
  await run('skopeo', ['copy', '--dest-tls-verify=false', '--dest-creds', 'me:secret', `oci-archive:${archive}`, target])
  await t8s('image', 'registry', `127.0.0.1:${PORT}`)
  kubectl = await kubectlFor(join(folder, 'data/kubeconfig'))
})

afterAll(async () => {
  await t8s('down', '--purge')
  await endProcess(registry)
  rmSync(folder, { recursive: true, force: true })
})

describe('a registry with a password', () => {
  it('gives no image to a pod that brings none', async () => {
    await kubectl(`run stranger --image=${IMAGE}`)
    await kubectl('wait --for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff pod/stranger --timeout=30s')
    await kubectl('delete pod stranger')
  })

  it('gives it to a pod whose pull secret has it', async () => {
    await kubectl(`create secret docker-registry site --docker-server=127.0.0.1:${PORT} --docker-username=me --docker-password=secret`)
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'site' },
      spec: { imagePullSecrets: [{ name: 'site' }], containers: [{ name: 'site', image: IMAGE }] },
    }
    await kubectl('apply -f -', { input: JSON.stringify(pod) })
    await kubectl('wait --for=condition=Ready pod/site --timeout=30s')
    const address = await kubectl('get pod site -o jsonpath={.status.podIP}')
    expect(await (await fetch(`http://${address}:8080/`)).text()).toBe('a site\n')
  })
})

async function startRegistry(): Promise<RunningProcess> {
  // `me:secret`, hashed by `htpasswd -nbB`.
  writeFileSync(join(folder, 'passwords'), 'me:$2y$05$Hx97ueWrBrgRDaV/1lBU9.qnRIZQS7YXfODcJ2dYSR4K5JUyEy.Ga\n')
  const config = join(folder, 'registry.yml')
  writeFileSync(
    config,
    `version: 0.1
storage: {filesystem: {rootdirectory: ${folder}/registry}}
http: {addr: "127.0.0.1:${PORT}", secret: x}
auth: {htpasswd: {realm: test, path: ${folder}/passwords}}
`,
  )
  const started = await startDetached('docker-registry', ['serve', config], { logFile: join(folder, 'registry.log') })
  while (!(await fetch(`http://127.0.0.1:${PORT}/v2/`).catch(() => undefined))) await delay(20)
  return started
}
