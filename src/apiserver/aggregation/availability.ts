import type { Informers } from '#client/informers/informer.ts'
import type { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { HttpsClient, HttpsTrust } from '../webhooks/https-client.ts'
import { readyAddresses, type ServiceResolver, slicesOf } from '../webhooks/service-resolver.ts'
import { type Availability, PASSED } from './conditions.ts'

/** What finding out about an aggregated server takes. */
export interface AvailabilityChecks {
  readonly informers: Informers
  readonly resolver: ServiceResolver
  https(): Promise<HttpsClient>
  /** The server's own certificate for aggregated servers. */
  readonly credential: Pick<HttpsTrust, 'certificate' | 'privateKey'>
}

/** Tries at once, of which one has to succeed: there may be several behind a Service. */
const ATTEMPTS = 5
const TIMEOUT_MS = 5000
/** Who may see everything: what is checked is the server, not somebody's permission. */
export const AGGREGATOR = { 'x-remote-user': 'system:kube-aggregator', 'x-remote-group': ['system:masters'] }

/** Whether the server behind a Service answers: its Service is there, somebody is behind it, and serves the version's discovery. */
export async function availabilityOf(service: APIService, checks: AvailabilityChecks): Promise<Availability> {
  return missingPart(service, checks.informers) ?? (await unreachable(service, checks)) ?? PASSED
}

function missingPart({ spec }: APIService, informers: Informers): Availability | undefined {
  const { namespace = '', name = '', port = 443 } = spec.service ?? {}
  const text = `service/${name} in ${quote(namespace)}`
  const no = (reason: string, message: string): Availability => ({ status: 'False', reason, message })
  const service = informers.of(Service).get(namespace, name)
  if (!service) return no('ServiceNotFound', `${text} is not present`)
  if (service.spec.type !== 'ClusterIP') return undefined
  const servicePort = service.spec.ports?.find(one => one.port === port)
  if (!servicePort) return no('ServicePortError', `${text} is not listening on port ${port}`)
  const slices = slicesOf(informers, namespace, name)
  if (slices.length === 0) return no('EndpointsNotFound', `cannot find endpointslices for ${text}`)
  const portName = servicePort.name ?? ''
  if (readyAddresses(slices, portName).length > 0) return undefined
  return no('MissingEndpoints', `endpointslices for ${text} have no addresses with port name ${quote(portName)}`)
}

async function unreachable(service: APIService, checks: AvailabilityChecks): Promise<Availability | undefined> {
  const attempts = Array.from({ length: ATTEMPTS }, () => tryDiscovery(service, checks))
  try {
    await Promise.any(attempts)
    return undefined
  } catch (error) {
    const { message } = (error as AggregateError).errors.at(-1) as Error
    return { status: 'False', reason: 'FailedDiscoveryCheck', message }
  }
}

async function tryDiscovery({ spec }: APIService, { resolver, https, credential }: AvailabilityChecks): Promise<void> {
  const { namespace = '', name = '', port = 443 } = spec.service ?? {}
  const place = resolver.resolve(namespace, name, port)
  const path = `/apis/${spec.group}/${spec.version}`
  const url = `https://${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}${path}`
  const client = await https()
  let status: number
  try {
    // Whether its certificate is good is found out by those who use it; this only says that somebody answers.
    const tls = { ...credential, insecure: true }
    const answer = await client.call({ method: 'GET', ...place, path, headers: AGGREGATOR, tls, timeoutMs: TIMEOUT_MS })
    status = answer.status
  } catch (error) {
    throw new Error(`failing or missing response from ${url}: Get ${quote(url)}: ${(error as Error).message}`, { cause: error })
  }
  if (status < 200 || status >= 300) throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`)
}
