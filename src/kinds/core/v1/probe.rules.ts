import { isHTTPHeaderName, isPortName, isPortNumber } from '#machinery/meta/formats.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateNonNegative } from '../../meta/v1/rules.ts'
import type { Lifecycle, LifecycleHandler, SleepAction } from './container.ts'
import type { ExecAction, GRPCAction, HTTPGetAction, Probe, TCPSocketAction } from './probe.ts'

/** The three probes of a container. */
export function validateProbes(
  container: {
    readonly livenessProbe?: Probe | undefined
    readonly readinessProbe?: Probe | undefined
    readonly startupProbe?: Probe | undefined
  },
  gracePeriod: number,
  errors: FieldErrors,
): void {
  const { livenessProbe, readinessProbe, startupProbe } = container
  for (const [name, probe] of [
    ['livenessProbe', livenessProbe],
    ['startupProbe', startupProbe],
  ] as const) {
    if (!probe) continue
    validateProbe(probe, gracePeriod, errors.at(name))
    if (probe.successThreshold !== 1) errors.at(name).at('successThreshold').invalid(probe.successThreshold, 'must be 1')
  }
  if (!readinessProbe) return
  const at = errors.at('readinessProbe')
  validateProbe(readinessProbe, gracePeriod, at)
  const own = readinessProbe.terminationGracePeriodSeconds
  if (own !== undefined) at.at('terminationGracePeriodSeconds').invalid(own, 'must not be set for readinessProbes')
}

function validateProbe(probe: Probe, gracePeriod: number, errors: FieldErrors): void {
  validateHandler(probe, gracePeriod, errors)
  for (const name of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold'] as const) {
    validateNonNegative(probe[name], errors.at(name))
  }
  const own = probe.terminationGracePeriodSeconds
  if (own !== undefined && own <= 0) errors.at('terminationGracePeriodSeconds').invalid(own, 'must be greater than 0')
}

/** What runs when a container has started and before it ends. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  gracePeriod: number,
  os: string | undefined,
  errors: FieldErrors,
): void {
  if (!lifecycle) return
  for (const name of ['postStart', 'preStop'] as const) {
    const handler: LifecycleHandler | undefined = lifecycle[name]
    if (handler) validateHandler(handler, gracePeriod, errors.at(name))
  }
  if (lifecycle.stopSignal !== undefined) validateStopSignal(lifecycle.stopSignal, os, errors.at('stopSignal'))
}

function validateStopSignal(signal: string, os: string | undefined, errors: FieldErrors): void {
  if (os === undefined) {
    errors.forbidden('may not be set for containers with empty `spec.os.name`')
    return
  }
  if (os === 'windows') {
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') errors.notSupported(signal, ['SIGKILL', 'SIGTERM'])
  } else if (!SIGNALS.has(signal)) errors.notSupported(signal, [...SIGNALS].sort())
}

interface Handler {
  readonly exec?: ExecAction | undefined
  readonly httpGet?: HTTPGetAction | undefined
  readonly tcpSocket?: TCPSocketAction | undefined
  readonly grpc?: GRPCAction | undefined
  readonly sleep?: SleepAction | undefined
}

function validateHandler(handler: Handler, gracePeriod: number, errors: FieldErrors): void {
  let count = 0
  const one = <T>(name: keyof Handler, action: T | undefined, validate: (action: T, errors: FieldErrors) => void) => {
    if (action === undefined) return
    if (count > 0) errors.at(name).forbidden('may not specify more than 1 handler type')
    else validate(action, errors.at(name))
    count++
  }
  one('exec', handler.exec, ({ command = [] }, at) => {
    if (command.length === 0) at.at('command').required()
  })
  one('httpGet', handler.httpGet, validateHttpGet)
  one('tcpSocket', handler.tcpSocket, ({ port }, at) => validatePort(port, at.at('port')))
  one('grpc', handler.grpc, ({ port }, at) => validatePort(port, at.at('port')))
  one('sleep', handler.sleep, ({ seconds }, at) => {
    if (seconds >= 0 && seconds <= gracePeriod) return
    at.invalid(seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`)
  })
  if (count === 0) errors.required('must specify a handler type')
}

function validateHttpGet({ path, port, scheme, httpHeaders = [] }: HTTPGetAction, errors: FieldErrors): void {
  if (path === '') errors.at('path').required()
  validatePort(port, errors.at('port'))
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.at('scheme').notSupported(scheme, ['HTTP', 'HTTPS'])
  for (const { name } of httpHeaders) errors.at('httpHeaders').invalidEach(name, isHTTPHeaderName(name))
}

/** The number of a port, or the name that a container gives it. */
export function validatePort(port: number | string, errors: FieldErrors): void {
  errors.invalidEach(port, typeof port === 'number' ? isPortNumber(port) : isPortName(port))
}

/** Signals of Linux; the real-time ones count from both ends. */
const SIGNALS: ReadonlySet<string> = new Set([
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU'
    .split(' ')
    .map(name => `SIG${name}`),
  ...'URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'.split(' ').map(name => `SIG${name}`),
  ...Array.from({ length: 15 }, (_, index) => `SIGRTMIN+${index + 1}`),
  ...Array.from({ length: 14 }, (_, index) => `SIGRTMAX-${index + 1}`),
])
