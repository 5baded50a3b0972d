import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { freePort } from '../support/api-server-process.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'
import { type ProgramProcess, startProgram, until } from '../support/program-process.ts'

/* What the scheduler and the controller manager show of themselves, as processes, to who may see it. */

const store = new MemoryStore({ clock: realClock() })
let server: LoneServer
const programs = new Map<string, { readonly program: ProgramProcess; readonly port: number }>()

beforeAll(async () => {
  server = await startLoneServer(store)
  const start = async (name: string, ...flags: string[]) => {
    const port = await freePort()
    const common = [`--kubeconfig=${server.kubeconfig}`, '--leader-elect=false', '--bind-address=127.0.0.1', `--secure-port=${port}`]
    programs.set(name, { program: startProgram(name, [...common, ...flags]), port })
  }
  await start('kube-scheduler')
  await start('kube-controller-manager', '--node-monitor-grace-period=90s')
}, 60_000)

afterAll(async () => {
  for (const { program } of programs.values()) await program[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
  await store.close()
}, 30_000)

/** The page of a program, as the administrator or as who has nothing to say. */
async function page(name: string, path: string, token = 'admin'): Promise<{ readonly status: number; readonly body: string }> {
  const headers = { authorization: `Bearer ${token}` }
  const asked = request({ host: '127.0.0.1', port: programs.get(name)!.port, path, headers, rejectUnauthorized: false }).end()
  const [answer] = await once(asked, 'response')
  return { status: answer.statusCode, body: await text(answer) }
}

const shown = (name: string, path: string, line: RegExp) =>
  until(
    () =>
      page(name, path).then(
        ({ body }) => body,
        () => '',
      ),
    body => line.test(body),
    { explain: () => programs.get(name)!.program.log() },
  )

describe('what programs show', () => {
  it('the scheduler: what its plugins did, what it asked for, and what pods request', async () => {
    const client = server.client()
    const status = { allocatable: { cpu: '2', memory: '4Gi', pods: '10' } }
    await client.create(Node, { metadata: { name: 'n1' }, status } as never)
    const resources = { requests: { cpu: '250m' } }
    const spec = { containers: [{ name: 'c', image: 'i', resources }], tolerations: [{ operator: 'Exists' }] }
    await client.create(Pod, { metadata: { name: 'p', namespace: 'default' }, spec } as never)
    const metrics = await shown('kube-scheduler', '/metrics', /scheduler_schedule_attempts_total\{result="scheduled",.*\} 1/)
    for (const line of [
      'scheduler_framework_extension_point_duration_seconds_count{extension_point="Bind",status="Success",profile="default-scheduler"} 1',
      'scheduler_plugin_execution_duration_seconds_count{plugin="NodeResourcesFit",extension_point="Filter",status="Success"} 1',
      'scheduler_async_api_call_execution_total{call_type="pod_binding",result="success"} 1',
      `rest_client_requests_total{code="201",method="POST",host="127.0.0.1:${server.port}"}`,
      'kubernetes_build_info{major="1",minor="36",git_version="v1.36.2"} 1',
    ])
      expect(metrics).toContain(line)
    const sample = 'namespace="default",pod="p",node="n1",scheduler="default-scheduler",priority="0",resource="cpu",unit="cores"'
    await shown('kube-scheduler', '/metrics/resources', new RegExp(`kube_pod_resource_request\\{${sample}\\} 0.25`))
  }, 90_000)

  it('the controller manager: its queues under upstream’s names, and the configuration that its flags come to', async () => {
    const metrics = await shown(
      'kube-controller-manager',
      '/metrics',
      /workqueue_work_duration_seconds_count\{name="serviceaccount"\} [1-9]/,
    )
    for (const line of [
      'workqueue_depth{name="deployment"} 0',
      'node_collector_zone_size{zone=""} 1',
      'rest_client_request_duration_seconds_count',
    ])
      expect(metrics).toContain(line)
    const configuration = JSON.parse((await page('kube-controller-manager', '/configz')).body)
    expect(configuration['kubecontrollermanager.config.k8s.io']).toMatchObject({
      Generic: { LeaderElection: { leaderElect: false } },
      NodeLifecycleController: { NodeMonitorGracePeriod: '1m30s' },
    })
  }, 90_000)

  it('to nobody who may not see it', async () => {
    for (const name of programs.keys())
      for (const path of ['/metrics', '/configz', '/flagz', '/statusz', '/metrics/resources'])
        expect([name, path, (await page(name, path, 'nobody')).status]).toEqual([name, path, 403])
  })
})
