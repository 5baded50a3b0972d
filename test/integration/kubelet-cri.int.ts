import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { connectSpdy } from '#base/net/spdy/upgrade.ts'
import { BUSYBOX_IMAGE } from '#cluster/images/builtin.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Event } from '#kinds/core/v1/event.ts'
import { isReady as isNodeReady } from '#kinds/core/v1/node.facts.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { isReady } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import type { Kubelet } from '#kubelet/kubelet.ts'
import type { DraftObjectOf } from '#machinery/kind/kind.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { type KubeletNode, startKubeletNode } from '../support/kubelet-node.ts'

/* One kubelet on a real containerd, from a pod's start to its end. */

let node: KubeletNode
let kubelet: Kubelet

beforeAll(async () => {
  node = await startKubeletNode()
  kubelet = await node.startKubelet()
}, 120_000)

afterAll(async () => {
  await kubelet?.stop()
  await node?.stop().catch(() => undefined)
  await node?.purge()
}, 60_000)

type PodSpecDraft = NonNullable<DraftObjectOf<typeof Pod>['spec']>

const shell = (script: string) => ({ name: 'main', image: BUSYBOX_IMAGE, command: ['sh', '-c', script] })
const server =
  'mkdir -p /w; echo hello >/w/index.html; httpd -p 0.0.0.0:8080 -h /w; trap "exit 0" TERM; echo started; while :; do sleep 0.1; done'

function run(name: string, spec: Partial<PodSpecDraft> & Pick<PodSpecDraft, 'containers'>): Promise<Pod> {
  const defaults = { nodeName: node.node.name, terminationGracePeriodSeconds: 2 }
  return node.client.create(Pod, { metadata: { name, namespace: 'default' }, spec: { ...defaults, ...spec } })
}

const get = (name: string) => node.client.get(Pod, { namespace: 'default', name })

/** Waits until the pod is as wanted; fails with what it is. */
async function until(name: string, wanted: (pod: Pod) => boolean, timeoutMs = 45_000): Promise<Pod> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const pod = await get(name)
    if (wanted(pod)) return pod
    if (performance.now() > deadline) {
      const told = (await eventsOf(name)).join('\n')
      throw new Error(`pod ${name} did not become as wanted:\n${JSON.stringify(pod.status, null, 1)}\n${told}`)
    }
    await delay(20)
  }
}

async function gone(name: string, timeoutMs = 45_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      await get(name)
    } catch (error) {
      if (isNotFound(error)) return
      throw error
    }
    if (performance.now() > deadline) throw new Error(`pod ${name} is still there`)
    await delay(20)
  }
}

async function eventsOf(name: string): Promise<string[]> {
  const list = await node.client.list(Event, { namespace: 'default' })
  return list.items.filter(event => event.involvedObject.name === name).map(event => `${event.type} ${event.reason}: ${event.message}`)
}

function ask(path: string, credential?: { certificate: string; privateKey: string }): Promise<{ status: number; text: string }> {
  const identity = credential ? { cert: credential.certificate, key: credential.privateKey } : {}
  return new Promise((resolve, reject) => {
    const call = httpsRequest(
      { host: '127.0.0.1', port: kubelet.serverPort(), path, ca: node.authority, agent: false, ...identity },
      response => {
        const parts: Buffer[] = []
        response.on('data', part => parts.push(part))
        response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString() }))
      },
    )
    call.on('error', reject)
    call.end()
  })
}

function exec(
  path: string,
  input?: string,
): Promise<{ stdout: string; stderr: string; status: { status: string; details?: { causes: { message: string }[] } } }> {
  const { certificate: cert, privateKey: key } = node.apiServerCredential
  const socket = new WebSocket(`wss://127.0.0.1:${kubelet.serverPort()}${path}`, ['v5.channel.k8s.io'], { cert, key, ca: node.authority })
  const out = ['', '', '', '']
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => {
      if (input === undefined) return
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(input)]))
      socket.send(Buffer.from([255, 0]))
    })
    socket.on('message', (data: Buffer) => {
      out[data[0]!] += data.toString('utf8', 1)
    })
    socket.on('close', () => resolve({ stdout: out[1]!, stderr: out[2]!, status: out[3] === '' ? {} : JSON.parse(out[3]!) }))
  })
}

describe('the node', () => {
  it('is registered and Ready, with what the machine has', async () => {
    const found = await node.client.get(Node, { name: node.node.name })
    expect(isNodeReady(found)).toBe(true)
    expect(found.status.nodeInfo?.containerRuntimeVersion).toMatch(/^containerd:\/\/1\./)
    expect(found.status.addresses).toContainEqual({ type: 'InternalIP', address: node.node.address })
    expect(found.status.images?.flatMap(({ names }) => names)).toContain(BUSYBOX_IMAGE)
  })

  it('tells that it is ready', async () => {
    const { items } = await node.client.list(Event, { namespace: 'default' })
    const told = items.filter(event => event.involvedObject.kind === 'Node' && event.source?.component === 'kubelet')
    expect(told.map(event => event.message)).toEqual(
      expect.arrayContaining(['Starting kubelet.', `Node ${node.node.name} status is now: NodeReady`]),
    )
  })
})

describe('a pod', () => {
  it('starts, becomes ready by its probes, and tells so', async () => {
    const askedMs = performance.now()
    await run('web', {
      containers: [
        {
          ...shell(server),
          readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
          livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          resources: { limits: { cpu: '500m', memory: '64Mi' } },
        },
      ],
    })
    await until('web', pod => pod.status.phase === 'Running')
    console.log(`from create to Running in the API: ${Math.round(performance.now() - askedMs)} ms`)
    const pod = await until('web', isReady)
    expect(pod.status.podIP).toMatch(/^10\./)
    expect(pod.status.containerStatuses?.[0]).toMatchObject({ ready: true, started: true, restartCount: 0, image: BUSYBOX_IMAGE })
    expect(pod.status.qosClass).toBe('Guaranteed')
    const cgroup = `/sys/fs/cgroup/memory${node.node.cgroupRoot}/kubepods/pod${pod.metadata.uid}`
    expect(readFileSync(join(cgroup, 'memory.limit_in_bytes'), 'utf8').trim()).toBe(String(64 * 1024 * 1024))
    const events = await eventsOf('web')
    expect(events).toContain('Normal Created: Container created')
    expect(events).toContain('Normal Started: Container started')
    expect(events).toContain(`Normal Pulled: Container image "${BUSYBOX_IMAGE}" already present on machine and can be accessed by the pod`)
  })

  it('gives its logs to who may ask', async () => {
    const path = '/containerLogs/default/web/main'
    expect(await ask(path)).toEqual({ status: 401, text: 'Unauthorized\n' })
    expect(await ask(path, node.apiServerCredential)).toEqual({ status: 200, text: 'started\n' })
    expect((await ask(`${path}?timestamps=true&tailLines=1`, node.apiServerCredential)).text).toMatch(/^2\d{3}-\S+Z started\n$/)
    expect((await ask('/containerLogs/default/web/other', node.apiServerCredential)).status).toBe(404)
  })

  it('runs commands with their input, outputs and exit code', async () => {
    const path = '/exec/default/web/main?output=1&error=1&command=sh&command=-c&command='
    const plain = await exec(`${path}${encodeURIComponent('echo out; echo err >&2; exit 7')}`)
    expect(plain).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      status: { status: 'Failure', details: { causes: [{ message: '7' }] } },
    })
    const piped = await exec(`${path}${encodeURIComponent('wc -c')}&input=1`, 'twelve bytes')
    expect(piped).toMatchObject({ stdout: '12\n', status: { status: 'Success' } })
  })

  it('runs a command on a terminal over SPDY, and knows its size', async () => {
    const { certificate: cert, privateKey: key } = node.apiServerCredential
    const command = encodeURIComponent('sleep 0.2; stty size; tty')
    const url = `https://127.0.0.1:${kubelet.serverPort()}/exec/default/web/main?output=1&input=1&tty=1&command=sh&command=-c&command=${command}`
    const { connection } = await connectSpdy({ url, protocols: ['v4.channel.k8s.io'], tls: { ca: node.authority, cert, key } })
    const [error, , stdout, resize] = ['error', 'stdin', 'stdout', 'resize'].map(streamtype => connection.open({ streamtype }))
    resize!.write('{"Width":91,"Height":33}\n')
    const [output, status] = await Promise.all([text(stdout!), text(error!)])
    expect(output).toBe('33 91\r\n/dev/pts/0\r\n')
    expect(JSON.parse(status)).toMatchObject({ status: 'Success' })
  })

  it('takes in and gives out megabytes', async () => {
    const input = 'x'.repeat(3_000_000)
    const { stdout, status } = await exec('/exec/default/web/main?output=1&input=1&command=cat', input)
    expect([stdout.length, status.status]).toEqual([input.length, 'Success'])
  })

  it('is joined by attach', async () => {
    await run('cat', {
      restartPolicy: 'Never',
      containers: [{ ...shell('echo first; read word; echo got $word'), stdin: true, stdinOnce: true }],
    })
    await until('cat', found => found.status.phase === 'Running')
    const { stdout } = await exec('/attach/default/cat/main?output=1&input=1', 'hello\n')
    expect(stdout).toContain('got hello\n')
    await until('cat', found => found.status.phase === 'Succeeded')
    await node.client.delete(Pod, { namespace: 'default', name: 'cat' })
    await gone('cat')
  })

  it('lets an ephemeral container look into it', async () => {
    const debug = { name: 'debug', image: BUSYBOX_IMAGE, command: ['sh', '-c', 'ps; sleep 60'], targetContainerName: 'main' }
    const options = { subresource: 'ephemeralcontainers' }
    await node.client.patch(
      Pod,
      { namespace: 'default', name: 'web' },
      { type: 'strategic', body: { spec: { ephemeralContainers: [debug] } } },
      options,
    )
    await until('web', found => found.status.ephemeralContainerStatuses?.[0]?.state.running !== undefined)
    const log = async () => (await ask('/containerLogs/default/web/debug', node.apiServerCredential)).text
    await expect.poll(log, { timeout: 30_000 }).toContain('httpd -p 0.0.0.0:8080')
  })

  it('is reached through port-forward', async () => {
    const { certificate: cert, privateKey: key } = node.apiServerCredential
    const url = `https://127.0.0.1:${kubelet.serverPort()}/portForward/default/web`
    const { connection } = await connectSpdy({ url, protocols: ['portforward.k8s.io'], tls: { ca: node.authority, cert, key } })
    const open = (streamtype: string, port: number, requestid: string) => connection.open({ streamtype, port: String(port), requestid })
    const ask = async (port: number, requestid: string) => {
      const error = open('error', port, requestid)
      error.end()
      const data = open('data', port, requestid)
      data.end('GET / HTTP/1.0\r\n\r\n')
      return Promise.all([text(data), text(error)])
    }
    const [page, nothing] = await ask(8080, '0')
    expect(page).toMatch(/^HTTP\/1\.[01] 200 OK[\s\S]*hello\n$/)
    expect(nothing).toBe('')
    expect((await ask(9999, '1'))[1]).toMatch(/^error forwarding port 9999 to pod: .*refused/)
    connection.close()
  })

  it('is measured, also while another has ended', async () => {
    await run('ended', { restartPolicy: 'Never', containers: [shell('exit 0')] })
    await until('ended', found => found.status.phase === 'Succeeded')
    const { text: summary } = await ask('/stats/summary', node.apiServerCredential)
    const found = JSON.parse(summary).pods.find((one: { podRef: { name: string } }) => one.podRef.name === 'web')
    const main = found.containers.find((one: { name: string }) => one.name === 'main')
    expect(main).toMatchObject({ memory: { workingSetBytes: expect.any(Number) } })
    await node.client.delete(Pod, { namespace: 'default', name: 'ended' })
    await gone('ended')
    expect((await ask('/metrics', node.apiServerCredential)).text).toContain('kubelet_running_pods 1\n')
  })

  it('goes on when containerd is killed and comes again', async () => {
    const before = await get('web')
    await node.restartContainerd()
    await run('after', { restartPolicy: 'Never', containers: [shell('exit 0')] })
    await until('after', found => found.status.phase === 'Succeeded', 30_000)
    expect((await get('web')).status.containerStatuses).toEqual(before.status.containerStatuses)
    await node.client.delete(Pod, { namespace: 'default', name: 'after' })
    await gone('after')
  })

  it('is taken over by the next kubelet and does not restart', async () => {
    const before = await get('web')
    await kubelet.stop()
    kubelet = await node.startKubelet()
    await expect
      .poll(async () => (await ask('/metrics', node.apiServerCredential)).text, { timeout: 30_000 })
      .toContain('kubelet_running_pods 1\n')
    const after = await get('web')
    expect(after.status.containerStatuses).toEqual(before.status.containerStatuses)
    expect(isReady(after)).toBe(true)
  })

  it('ends gracefully when it is deleted, and leaves nothing', async () => {
    const pod = await get('web')
    await node.client.delete(Pod, pod)
    await gone('web')
    expect(await eventsOf('web')).toContain('Normal Killing: Stopping container main')
    const traces = [
      join(node.node.kubeletDir, 'pods', pod.metadata.uid!),
      `/sys/fs/cgroup/memory${node.node.cgroupRoot}/kubepods/pod${pod.metadata.uid}`,
    ]
    await expect.poll(() => traces.filter(path => existsSync(path)), { timeout: 30_000 }).toEqual([])
    const sandboxes = async () => (await node.runtime.listSandboxes()).filter(({ metadata }) => metadata.name === 'web')
    await expect.poll(sandboxes, { timeout: 30_000 }).toEqual([])
  })

  it('sees its volumes and variables, and runs its init containers first', async () => {
    await node.client.create(ConfigMap, { metadata: { name: 'settings', namespace: 'default' }, data: { colour: 'green' } })
    await node.client.create(Secret, {
      metadata: { name: 'key', namespace: 'default' },
      data: { word: Buffer.from('sesame').toString('base64') },
    })
    await run('reader', {
      restartPolicy: 'Never',
      initContainers: [
        { ...shell('echo from-init >/shared/file'), name: 'first', volumeMounts: [{ name: 'shared', mountPath: '/shared' }] },
      ],
      containers: [
        {
          ...shell(
            'cat /shared/file /config/colour; echo; cat /secret/word; echo; echo $COLOUR $WORD $NAME $IP; cat /etc/hosts | tail -1; cat /labels/name; echo bye >/dev/termination-log; exit 3',
          ),
          env: [
            { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
            { name: 'WORD', valueFrom: { secretKeyRef: { name: 'key', key: 'word' } } },
            { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          volumeMounts: [
            { name: 'shared', mountPath: '/shared' },
            { name: 'config', mountPath: '/config' },
            { name: 'secret', mountPath: '/secret' },
            { name: 'self', mountPath: '/labels' },
          ],
        },
      ],
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'config', configMap: { name: 'settings' } },
        { name: 'secret', secret: { secretName: 'key' } },
        { name: 'self', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      ],
    })
    const pod = await until('reader', found => found.status.phase === 'Failed')
    const ip = /(\d+\.){3}\d+/.exec((await ask('/containerLogs/default/reader/main', node.apiServerCredential)).text)?.[0]
    const log = await ask('/containerLogs/default/reader/main', node.apiServerCredential)
    expect(log.text).toBe(`from-init\ngreen\nsesame\ngreen sesame reader ${ip}\n${ip}\treader\nreader`)
    expect(pod.status.initContainerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(pod.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'bye\n' })
    await node.client.delete(Pod, pod)
    await gone('reader')
  })

  it('that crashes is restarted at once, then held back', async () => {
    await run('crash', { containers: [shell('exit 1')] })
    const pod = await until('crash', found => found.status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff')
    const [status] = pod.status.containerStatuses!
    expect(status).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
    expect(status!.state.waiting!.message).toBe(`back-off 10s restarting failed container=main pod=crash_default(${pod.metadata.uid})`)
    expect(pod.status.phase).toBe('Running')
    await node.client.delete(Pod, pod)
    await gone('crash')
  })

  it('that uses more memory than it may is killed, and says so', async () => {
    await run('greedy', {
      restartPolicy: 'Never',
      containers: [{ ...shell('exec tail /dev/zero'), resources: { limits: { memory: '20Mi' } } }],
    })
    const pod = await until('greedy', found => found.status.phase === 'Failed')
    expect(pod.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
    await node.client.delete(Pod, pod)
    await gone('greedy')
  })

  it('comes with many others at once', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`)
    const askedMs = performance.now()
    await Promise.all(names.map(name => run(name, { containers: [shell(server)] })))
    await Promise.all(names.map(name => until(name, isReady, 40_000)))
    console.log(`20 pods at once: ${Math.round(performance.now() - askedMs)} ms`)
    await Promise.all(names.map(name => node.client.delete(Pod, { namespace: 'default', name })))
    await Promise.all(names.map(name => gone(name, 40_000)))
  })

  it('whose liveness probe fails is killed and started again', async () => {
    await run('sick', {
      containers: [
        {
          ...shell('trap "exit 0" TERM; while :; do sleep 0.1; done'),
          livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
        },
      ],
    })
    await until('sick', pod => (pod.status.containerStatuses?.[0]?.restartCount ?? 0) >= 1)
    expect(await eventsOf('sick')).toContain('Normal Killing: Container main failed liveness probe, will be restarted')
    await node.client.delete(Pod, await get('sick'))
    await gone('sick')
  })

  it('without its image says why', async () => {
    await run('missing', { containers: [{ name: 'main', image: 'localhost:1/no/such:1', imagePullPolicy: 'IfNotPresent' }] })
    await until('missing', pod => pod.status.containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff')
    await node.client.delete(Pod, await get('missing'))
    await gone('missing')
  })

  it('from the manifest directory runs, with a mirror in the API, until the file is removed', async () => {
    const file = join(node.node.manifestsDir, 'static.yaml')
    const manifest = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'static' },
      spec: { terminationGracePeriodSeconds: 1, containers: [shell(server)] },
    }
    writeFileSync(file, JSON.stringify(manifest))
    const name = `static-${node.node.name}`
    const deadline = performance.now() + 20_000
    let mirror: Pod | undefined
    while (!mirror || !isReady(mirror)) {
      mirror = await get(name).catch(() => undefined)
      if (performance.now() > deadline) throw new Error(`no mirror: ${JSON.stringify(mirror?.status)}`)
      await delay(50)
    }
    expect(mirror.metadata.annotations?.['kubernetes.io/config.mirror']).toBeDefined()
    const { unlinkSync } = await import('node:fs')
    unlinkSync(file)
    await gone(name, 30_000)
  })
})

it('leaves nothing of the node behind', async () => {
  await kubelet.stop()
  await node.stop()
  expect(await node.residue()).toEqual([])
}, 60_000)
