import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { debianKubectl } from '../support/debian-kubectl.ts'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'

/* Logs, exec, attach, port-forward and the proxies, as kubectl's of today (WebSocket) and of 2021 (SPDY) ask for them. */

const root = fileURLToPath(new URL('../..', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 't8s-streams-'))
const name = `streams${process.pid % 10_000}`
const t8s = (...args: string[]) => run(join(root, 't8s'), [...args, '--name', name, '--data-dir', dataDir], { timeoutMs: 170_000 })
const children = new Set<ChildProcess>()
let kubectl: Kubectl
let old: string

const WEB = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: web
    image: typernetes.local/busybox:1
    ports: [{containerPort: 8080}]
    command: [sh, -c]
    args:
    - |
      mkdir -p /www/cgi-bin && cd /www && head -c 8000000 /dev/zero > big && echo hello > index.html
      printf '#!/bin/sh\\necho; echo $REQUEST_METHOD $REQUEST_URI; wc -c\\n' > cgi-bin/echo && chmod +x cgi-bin/echo
      exec httpd -f -p 8080 -h /www
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
  - name: echo
    image: typernetes.local/busybox:1
    command: [sh, -c, 'while read -r line; do echo "got $line"; done; sleep 3600']
    stdin: true
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: restarting}
spec:
  containers:
  - name: c
    image: typernetes.local/busybox:1
    command: [sh, -c, 'echo run; echo complaint >&2; sleep 2; exit 1']
`

beforeAll(async () => {
  await t8s('up')
  kubectl = await kubectlFor(join(dataDir, 'kubeconfig'))
  old = await debianKubectl()
  await kubectl('apply -f -', { input: WEB })
  await kubectl('wait --for=condition=Ready pod/web --timeout=60s')
})

afterAll(async () => {
  for (const child of children) child.kill()
  await t8s('down', '--purge')
  rmSync(dataDir, { recursive: true, force: true })
})

/** Runs a kubectl until it has ended, whatever its exit code. */
function outcome(
  program: string,
  args: readonly string[],
  input?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(program, args, { env: { ...process.env, KUBECONFIG: kubectl.kubeconfig } })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', part => {
    stdout += part
  })
  child.stderr.on('data', part => {
    stderr += part
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise(resolve => child.on('close', code => resolve({ code, stdout, stderr })))
}

/** Starts a kubectl that runs on, and resolves once it has said what is waited for. */
function started(program: string, args: readonly string[], wanted: RegExp): Promise<{ child: ChildProcess; said: () => string }> {
  const child = spawn(program, args, { env: { ...process.env, KUBECONFIG: kubectl.kubeconfig } })
  children.add(child)
  child.on('close', () => children.delete(child))
  let said = ''
  return new Promise((resolve, reject) => {
    const hear = (part: Buffer) => {
      said += String(part)
      if (wanted.test(said)) resolve({ child, said: () => said })
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('close', code => reject(new Error(`kubectl ended with ${code} before it said ${wanted}: ${said}`)))
  })
}

const programs = [
  ['over WebSocket', () => kubectl.program],
  ['over SPDY', () => old],
] as const

describe.each(programs)('kubectl %s', (_, program) => {
  it('gives the exit code, the output and the errors of a command', async () => {
    const ran = await outcome(program(), ['exec', 'web', '-c', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
    expect(ran).toMatchObject({ code: 3, stdout: 'out\n' })
    expect(ran.stderr).toMatch(/^err\ncommand terminated with exit code 3/)
  })

  it('half-closes the input of a command, and takes as much as it is given', async () => {
    const exec = ['exec', '-i', 'web', '-c', 'web', '--']
    expect(await outcome(program(), [...exec, 'cat'], 'hi\n')).toMatchObject({ code: 0, stdout: 'hi\n' })
    expect(await outcome(program(), [...exec, 'wc', '-c'], 'x'.repeat(5_000_000))).toMatchObject({ code: 0, stdout: '5000000\n' })
    expect((await outcome(program(), [...exec, 'head', '-c', '5000000', '/dev/zero'])).stdout.length).toBe(5_000_000)
  })

  it('runs a terminal of the size of its own', async () => {
    const inner = `stty rows 33 cols 77; ${program()} exec -it web -c web -- sh -c 'sleep 1; stty size; exit 4'`
    const ran = await outcome('script', ['-qec', inner, '/dev/null'], '')
    expect(ran.stdout).toContain('33 77')
    expect(ran.code).toBe(4)
  })

  it('attaches to a running process', async () => {
    const attached = spawn(program(), ['attach', '-i', 'web', '-c', 'echo'], { env: { ...process.env, KUBECONFIG: kubectl.kubeconfig } })
    children.add(attached)
    const heard = new Promise<string>(resolve => attached.stdout.on('data', part => resolve(String(part))))
    attached.stdin.write('a line\n')
    expect(await heard).toBe('got a line\n')
    attached.kill()
  })

  it('forwards a port for many connections at once', async () => {
    const { child, said } = await started(program(), ['port-forward', 'service/web', ':80'], /Forwarding from 127.0.0.1:\d+/)
    const port = /127.0.0.1:(\d+)/.exec(said())![1]
    const asked = Array.from({ length: 8 }, async (_, index) => (await fetch(`http://127.0.0.1:${port}/cgi-bin/echo?${index}`)).text())
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 8 }, (_, index) => `GET /cgi-bin/echo?${index}\n0\n`))
    expect((await (await fetch(`http://127.0.0.1:${port}/big`)).arrayBuffer()).byteLength).toBe(8_000_000)
    child.kill()
  })

  it('copies a directory there and back', async () => {
    const from = join(dataDir, 'there')
    const to = join(dataDir, 'back')
    rmSync(to, { recursive: true, force: true })
    mkdirSync(join(from, 'deep'), { recursive: true })
    writeFileSync(join(from, 'deep/file'), 'x'.repeat(1_000_000))
    writeFileSync(join(from, 'short'), 'y')
    expect(await outcome(program(), ['cp', '-c', 'web', from, 'web:/tmp/copied'])).toMatchObject({ code: 0 })
    expect(await outcome(program(), ['cp', '-c', 'web', 'web:/tmp/copied', to])).toMatchObject({ code: 0 })
    await run('diff', ['-r', from, to])
    await kubectl('exec web -c web -- rm -rf /tmp/copied')
  })
})

describe('logs', () => {
  it('follows a container until it ends, and shows that of the run before', async () => {
    const { stdout } = await outcome(kubectl.program, ['logs', '-f', 'restarting'])
    expect(stdout.split('\n').sort()).toEqual(['', 'complaint', 'run'])
    await kubectl('wait --for=jsonpath={.status.containerStatuses[0].restartCount}=1 pod/restarting --timeout=60s')
    expect((await kubectl('logs restarting --previous')).split('\n').sort()).toEqual(['complaint', 'run'])
  })

  it('are cut as asked', async () => {
    await kubectl('run counting --image=typernetes.local/busybox:1 --restart=Never -- seq 1 100')
    await kubectl('wait --for=jsonpath={.status.phase}=Succeeded pod/counting --timeout=60s')
    expect(await kubectl('logs counting --tail=2')).toBe('99\n100')
    expect(await kubectl('logs counting --limit-bytes=4')).toBe('1\n2')
    expect(await kubectl('logs counting --tail=1 --timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\S+ 100$/)
    expect((await kubectl('logs counting --since=1h')).split('\n').length).toBe(100)
  })

  it('say what is wrong', async () => {
    await expect(kubectl('logs nobody')).rejects.toThrow(/pods "nobody" not found/)
    await expect(kubectl('get --raw /api/v1/namespaces/default/pods/web/log')).rejects.toThrow(
      /a container name must be specified for pod web, choose one of: \[web echo\]/,
    )
    await expect(kubectl('logs counting --previous')).rejects.toThrow(
      /previous terminated container "counting" in pod "counting" not found/,
    )
  })
})

describe('the proxies', () => {
  const path = '/api/v1/namespaces/default'

  it('lead to pods, Services and nodes', async () => {
    expect(await kubectl(`get --raw ${path}/pods/web/proxy/cgi-bin/echo?a=b`)).toBe('GET /cgi-bin/echo?a=b\n0')
    expect(await kubectl(`get --raw ${path}/services/web:80/proxy/`)).toBe('hello')
    expect(await kubectl(`get --raw ${path}/services/http:web:/proxy/`)).toBe('hello')
    expect(await kubectl('get --raw /api/v1/nodes/node-1/proxy/healthz')).toBe('ok')
  })

  it('pass on what is sent, over a client of another protocol', async () => {
    const { child, said } = await started(kubectl.program, ['proxy', '--port=0'], /Starting to serve on \S+/)
    const address = /serve on (\S+)/.exec(said())![1]
    const answer = await fetch(`http://${address}${path}/services/web/proxy/cgi-bin/echo`, { method: 'POST', body: 'x'.repeat(3_000_000) })
    expect(await answer.text()).toBe('POST /cgi-bin/echo\n3000000\n')
    const moved = await fetch(`http://${address}${path}/services/web/proxy`, { redirect: 'manual' })
    expect([moved.status, moved.headers.get('location')]).toEqual([301, `${path}/services/web/proxy/`])
    child.kill()
  })
})

describe('who may', () => {
  it('read may not run anything, by whichever way', async () => {
    await kubectl('create serviceaccount reader')
    await kubectl('create clusterrole reads --verb=get --resource=pods,pods/exec,nodes/proxy')
    await kubectl('create clusterrolebinding reads --clusterrole=reads --serviceaccount=default:reader')
    const as = '--as=system:serviceaccount:default:reader'
    const healthz = () => kubectl(`get --raw /api/v1/nodes/node-1/proxy/healthz ${as}`).catch((error: Error) => error.message)
    await expect.poll(healthz, { timeout: 30_000 }).toBe('ok')
    await expect(kubectl(`exec ${as} web -c web -- true`)).rejects.toThrow(/cannot create resource "pods\/exec"/)
    await expect(kubectl(`get --raw /api/v1/nodes/node-1/proxy/exec/default/web/web?command=id ${as}`)).rejects.toThrow(/cannot create/)
  })
})
