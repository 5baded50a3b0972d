import type { Container } from '#kinds/core/v1/container.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Probe } from '#kinds/core/v1/probe.ts'
import { isRuntimeError, type Runtime } from '../runtime/runtime.ts'
import { type ProbeOutcome, probeHttp, probeTcp } from './http-probe.ts'

/** Runs a probe once against a running container; the outcome `error` means that nothing can be said. */
export type RunProbe = (target: ProbeTarget) => Promise<ProbeOutcome | { readonly result: 'error'; readonly message: string }>

export interface ProbeTarget {
  readonly pod: Pod
  readonly container: Container
  readonly containerId: string
  readonly probe: Probe
  readonly podIP: string
}

const OUTPUT_LIMIT = 10 * 1024

/** Probes as this machine can: commands by the runtime, the rest over the network, which reaches pods by their addresses. */
export function probeRunner(runtime: Runtime, now: () => number): RunProbe {
  return async ({ container, containerId, probe, podIP }) => {
    const timeoutMs = probe.timeoutSeconds * 1000
    if (probe.exec) return probeExec(runtime, containerId, probe.exec.command ?? [], probe.timeoutSeconds)
    if (probe.httpGet) {
      const { scheme, host, path, httpHeaders } = probe.httpGet
      const port = portOf(container, probe.httpGet.port)
      if (port === undefined) return { result: 'error', message: `couldn't find port: ${probe.httpGet.port}` }
      return probeHttp({ scheme, host: host || podIP, port, path, headers: httpHeaders ?? [] }, timeoutMs)
    }
    if (probe.tcpSocket) {
      const port = portOf(container, probe.tcpSocket.port)
      if (port === undefined) return { result: 'error', message: `couldn't find port: ${probe.tcpSocket.port}` }
      return probeTcp(probe.tcpSocket.host || podIP, port, timeoutMs)
    }
    if (probe.grpc) {
      const { probeGrpc } = await import('./grpc-probe.ts')
      return probeGrpc(podIP, probe.grpc.port, probe.grpc.service, timeoutMs, now())
    }
    return { result: 'error', message: `missing probe handler for ${container.name}` }
  }
}

async function probeExec(
  runtime: Runtime,
  containerId: string,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<ProbeOutcome | { result: 'error'; message: string }> {
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, command, timeoutSeconds)
    return { result: exitCode === 0 ? 'success' : 'failure', message: `${stdout}${stderr}`.slice(0, OUTPUT_LIMIT) }
  } catch (error) {
    if (isRuntimeError(error, 'DeadlineExceeded'))
      return { result: 'failure', message: `command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s` }
    return { result: 'error', message: (error as Error).message }
  }
}

/** A port by number, or by its name in the container. */
export function portOf(container: Container, port: number | string): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)?.containerPort
  if (named !== undefined) return named
  const number = Number(port)
  return Number.isInteger(number) && number > 0 ? number : undefined
}
