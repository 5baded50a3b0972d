import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { sendSignal } from '#base/process/running-process.ts'
import { clusterProcess } from '#cluster/control-plane-process.ts'
import { readAllocation } from '#cluster/layout/data-directory.ts'
import { layoutOf } from '#cluster/layout/layout.ts'
import { residue } from '#cluster/residue.ts'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'
import { testMachines } from '../support/test-machines.ts'

/* A cluster of two nodes with real containers, as a user has it: the launcher, upstream's kubectl, and the examples. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 't8s-e2e-'))
const name = `e2e${process.pid % 10_000}`
const t8s = (...args: string[]) => run(join(root, 't8s'), [...args, '--name', name, '--data-dir', dataDir], { timeoutMs: 170_000 })
const layout = () => layoutOf(readAllocation(dataDir)!, dataDir)
let kubectl: Kubectl

beforeAll(async () => {
  await t8s('up', '--nodes', '2')
  kubectl = await kubectlFor(join(dataDir, 'kubeconfig'))
})

afterAll(async () => {
  await t8s('down', '--purge')
  rmSync(dataDir, { recursive: true, force: true })
})

/** Asks again until the answer is as wanted; fails with the last one. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, timeoutMs = 30_000): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask().catch((error: Error) => error.message as T)
    if (wanted(answer)) return answer
    if (performance.now() > deadline) throw new Error(`it did not come to what was wanted; last: ${JSON.stringify(answer)}`)
    await delay(100)
  }
}

const get = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(10_000) })).text()
const isHello = (text: string) => text.startsWith('Hello')
const wget = (url: string) => kubectl(`exec client -- timeout 10 wget -qO- ${url}`)

describe('a cluster with real containers', () => {
  it('has two ready nodes', async () => {
    expect(await kubectl('get nodes --no-headers')).toMatch(/^node-1 +Ready .*\nnode-2 +Ready /)
  })

  it('runs the example behind a Service, reached by address, node port and name', async () => {
    await kubectl(`apply -f ${root}examples/web.yaml`)
    await kubectl('rollout status deployment/web --timeout=60s')
    const [address, nodePort] = (await kubectl('get service web -o jsonpath={.spec.clusterIP},{.spec.ports[0].nodePort}')).split(',')
    // The proxies learn of an endpoint a moment after the Deployment does.
    expect(await until(() => get(`http://${address}/`), isHello)).toMatch(/^Hello from Typernetes, web-/)
    await until(() => get(`http://127.0.0.1:${nodePort}/`), isHello)
    for (const node of layout().nodes) await until(() => get(`http://${node.address}:${nodePort}/`), isHello)
    await kubectl('run client --image=typernetes.local/busybox:1 --restart=Never -- sleep 3600')
    await kubectl('wait --for=condition=Ready pod/client --timeout=30s')
    await until(() => wget('http://web.default.svc.cluster.local/'), isHello)
    await until(() => wget('http://web/'), isHello)
  })

  it('gives a Service of type LoadBalancer an address that the machine, the nodes and the world outside reach', async () => {
    await kubectl('expose deployment web --type=LoadBalancer --port=80 --target-port=8080 --name=balanced')
    const address = await until(
      () => kubectl('get service balanced -o jsonpath={.status.loadBalancer.ingress[0].ip}'),
      text => /^[\d.]+$/.test(text),
    )
    const url = `http://${address}/`
    const ask = ['timeout', '10', 'busybox', 'wget', '-qO-', url]
    await until(() => get(url), isHello)
    for (const { netnsPath } of layout().nodes)
      await until(async () => (await run('nsenter', [`--net=${netnsPath}`, 'busybox', ...ask])).stdout, isHello)
    await using world = await testMachines(`${name}o`, 1)
    const fromOutside = () => world.run(1, 'busybox', ask)
    // Every connection is answered, and each of the three pods, of which the machine takes any, is heard of.
    const heard = new Set<string>()
    for (let asked = 0; asked < 100 && heard.size < 3; asked++) heard.add(await fromOutside())
    expect([...heard].filter(isHello)).toHaveLength(3)
    await kubectl('patch service balanced -p {"spec":{"externalTrafficPolicy":"Local"}}')
    await until(fromOutside, isHello)
    await kubectl('patch service balanced -p {"spec":{"loadBalancerSourceRanges":["203.0.113.0/24"]}}')
    await until(fromOutside, text => !isHello(text))
    await kubectl('delete service balanced')
    const held = async () => (await run('ip', ['-4', 'address', 'show', 'dev', layout().bridge])).stdout
    await until(held, text => !text.includes(`${address}/32`))
  }, 180_000)

  it('lets every pod reach every other by its own address', async () => {
    const pods = (await kubectl('get pods -l app=web -o jsonpath={.items[*].status.podIP}')).split(' ')
    expect(new Set(pods).size).toBe(3)
    for (const address of pods) expect(await wget(`http://${address}:8080/`)).toMatch(/^Hello/)
  })

  it('tells what nodes and pods use', async () => {
    const said = await until(
      () => kubectl('top pods --no-headers'),
      text => /^client +\d+m +\d+Mi/m.test(text) && /^web-\S+ +\d+m +\d+Mi/m.test(text),
    )
    expect(said).toMatch(/Mi/)
    expect(await kubectl('top nodes --no-headers')).toMatch(/^node-1 +\d+m +\d+% +\d+Mi +\d+%/m)
  })

  it('rolls a new version out without losing a request', async () => {
    const address = await kubectl('get service web -o jsonpath={.spec.clusterIP}')
    let asked = 0
    const failures: string[] = []
    let isRolling = true
    const asking = (async () => {
      while (isRolling) {
        asked++
        await get(`http://${address}/`).catch((error: Error) => failures.push(error.message))
      }
    })()
    await kubectl('set env deployment/web VERSION=2')
    await kubectl('rollout status deployment/web --timeout=90s')
    isRolling = false
    await asking
    expect(failures).toEqual([])
    expect(asked).toBeGreaterThan(20)
    await kubectl('rollout undo deployment/web')
    await kubectl('rollout status deployment/web --timeout=90s')
  })

  it('shows logs, copies files and forwards ports', async () => {
    await kubectl(`apply -f ${root}examples/job.yaml`)
    await kubectl('wait --for=condition=Complete job/greet --timeout=60s')
    expect(await kubectl('logs job/greet')).toMatch(/hello from greet-/)
    const file = join(dataDir, 'copied')
    await kubectl(`cp client:/etc/passwd ${file}`)
    const { stdout } = await run('cat', [file])
    expect(stdout).toContain('root')
    expect(await kubectl('exec -i client -- wc -c', { input: 'twelve bytes' })).toBe('12')
  })

  it('starts a crashing container ever more slowly', async () => {
    await kubectl(`apply -f ${root}examples/crash.yaml`)
    const said = await until(
      () => kubectl('get pod crash --no-headers'),
      text => text.includes('CrashLoopBackOff'),
    )
    expect(said).toMatch(/crash +0\/1 +CrashLoopBackOff/)
    expect(await kubectl('logs crash --previous')).toBe('about to fail')
    await kubectl('delete pod crash')
  })

  it('leaves a pod pending that asks for too much, and says why', async () => {
    await kubectl(`apply -f ${root}examples/too-big.yaml`)
    await until(
      () => kubectl('get events --field-selector involvedObject.name=too-big'),
      text => text.includes('0/2 nodes are available: 2 Insufficient cpu.'),
    )
    await kubectl('delete pod too-big')
  })

  it('goes on as it was after its process was killed: no container is started again', async () => {
    const containers = () => kubectl('get pods -l app=web -o jsonpath={.items[*].status.containerStatuses[*].containerID}')
    const before = await until(containers, text => text.split(' ').length === 3) // those of the rollout before have gone
    sendSignal(clusterProcess(layout())!, 'SIGKILL')
    await t8s('up')
    expect(await containers()).toBe(before)
    await until(() => wget('http://web/'), isHello)
  })

  it('comes back with its objects and Services after it was taken down', async () => {
    const address = await kubectl('get service web -o jsonpath={.spec.clusterIP}')
    await t8s('down')
    expect(await residue(layout())).toEqual([])
    await t8s('up')
    expect(await kubectl('get service web -o jsonpath={.spec.clusterIP}')).toBe(address)
    await until(
      () => get(`http://${address}/`),
      text => text.startsWith('Hello'),
    )
  })
})
