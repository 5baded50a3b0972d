import { type Clock, sleep } from '#base/time/clock.ts'
import type { Container, LifecycleHandler } from '#kinds/core/v1/container.ts'
import { probeHttp, probeTcp } from '../probes/http-probe.ts'
import { portOf } from '../probes/probe-runner.ts'
import type { Runtime } from '../runtime/runtime.ts'

const HTTP_TIMEOUT_MS = 30_000

/** Runs a postStart or preStop hook to its end; rejects with what went wrong. `timeoutSeconds` 0 is no limit. */
export async function runHook(
  hook: LifecycleHandler,
  target: { readonly container: Container; readonly containerId: string; readonly podIP: string },
  context: { readonly runtime: Runtime; readonly clock: Clock; readonly timeoutSeconds: number; readonly signal?: AbortSignal },
): Promise<void> {
  const timeoutMs = context.timeoutSeconds > 0 ? context.timeoutSeconds * 1000 : HTTP_TIMEOUT_MS
  if (hook.exec) {
    const { exitCode, stdout, stderr } = await context.runtime.execSync(target.containerId, hook.exec.command ?? [], context.timeoutSeconds)
    if (exitCode !== 0) throw new Error(`command '${(hook.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${stderr || stdout}`)
    return
  }
  if (hook.httpGet) {
    const { scheme, host, path, httpHeaders } = hook.httpGet
    const port = portOf(target.container, hook.httpGet.port)
    if (port === undefined) throw new Error(`couldn't find port: ${hook.httpGet.port}`)
    const outcome = await probeHttp(
      { scheme, host: host || target.podIP, port, path, headers: httpHeaders ?? [] },
      timeoutMs,
      'kube-lifecycle/1.36',
    )
    if (outcome.result === 'failure') throw new Error(outcome.message)
    return
  }
  if (hook.sleep) return sleep(context.clock, hook.sleep.seconds * 1000, context.signal)
  if (hook.tcpSocket) {
    const port = portOf(target.container, hook.tcpSocket.port)
    if (port === undefined) throw new Error(`couldn't find port: ${hook.tcpSocket.port}`)
    const outcome = await probeTcp(hook.tcpSocket.host || target.podIP, port, timeoutMs)
    if (outcome.result === 'failure') throw new Error(outcome.message)
  }
}
