import type { Random } from '#base/random/random.ts'
import type { Client } from '#client/client.ts'
import { Service, type ServicePort } from '#kinds/core/v1/service.ts'
import { IPAddress } from '#kinds/networking/v1/ip-address.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { internalError, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Allocation, Behaviour } from '../registry/behaviour.ts'
import { hasNodePort, type NodePorts, nodePorts } from './node-ports.ts'
import type { NodePort, PortReservations } from './port-reservations.ts'
import { type AddressRange, addressRange, candidates, contains } from './service-addresses.ts'
import { carryOver, familiesOf, needsClusterIP, needsHealthPort, needsNodePorts, normalize } from './service-fields.ts'

export interface ServiceAllocationOptions {
  /** `--service-cluster-ip-range`: one or two ranges, the first of the default family. */
  readonly serviceCIDRs: readonly string[]
  /** `--service-node-port-range`. */
  readonly nodePortRange: string
  readonly random: Random
  /** Acts as the server; asked for only once it runs. */
  client(): Client
  /** The Services that are stored. */
  services(): readonly Service[]
  /** Where there are other servers that give out ports, too. */
  readonly reservations?: PortReservations | undefined
}

/**
 * Gives Services their cluster addresses and node ports. An address is taken by creating an IPAddress of its name (KEP-1880), so that two
 * servers cannot give the same one; a port is reserved until every server can see who has it. What was taken for a Service that is not stored in the end is given back.
 */
export function serviceAllocation(options: ServiceAllocationOptions): Behaviour {
  const ranges = options.serviceCIDRs.map(addressRange)
  const ports = nodePorts(options.nodePortRange, options.services, options.random)
  return {
    group: '',
    resource: 'services',
    async begin(object, old, { dryRun }) {
      const service = object as Mutable<Service>
      const before = old as Service | undefined
      if (before) carryOver(service, before)
      normalize(service, before, ranges)
      const taken = new Taken(options, ports, dryRun)
      try {
        await takeAddresses(service, before, ranges, taken)
        await takeReservedPorts(service, before, ports, taken)
      } catch (error) {
        await taken.release()
        throw error
      }
      const given = givenUp(service, before)
      return {
        commit: async () => {
          await taken.settle()
          if (!dryRun) await Promise.all(given.map(address => releaseAddress(options.client(), address)))
        },
        release: () => taken.release(),
      } satisfies Allocation
    },
    async afterDelete(object) {
      const addresses = addressesOf(object as Service)
      await Promise.all(addresses.map(address => releaseAddress(options.client(), address)))
    },
  }
}

/** What was taken for one write, to be given back if it comes to nothing. */
class Taken {
  readonly #options: ServiceAllocationOptions
  readonly #ports: NodePorts
  readonly #dryRun: boolean
  readonly #addresses: string[] = []
  readonly random: Random
  readonly #nodePorts: NodePort[] = []
  #reserved: NodePort[] = []

  constructor(options: ServiceAllocationOptions, ports: NodePorts, dryRun: boolean) {
    this.#options = options
    this.random = options.random
    this.#ports = ports
    this.#dryRun = dryRun
  }

  /** Takes an address; false if somebody else has it. */
  async address(address: string, { metadata }: Mutable<Service>, range: AddressRange): Promise<boolean> {
    const client = this.#options.client()
    const parentRef = { group: '', resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
    const labels = {
      'ipaddress.kubernetes.io/ip-family': range.family,
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    }
    try {
      const object = { metadata: { name: nameOfAddress(address), labels }, spec: { parentRef } }
      await client.create(IPAddress, object, { dryRun: this.#dryRun, fieldManager: 'kube-apiserver' })
    } catch (error) {
      if ((error as { reason?: unknown }).reason === 'AlreadyExists') return false
      throw error
    }
    if (!this.#dryRun) this.#addresses.push(address)
    return true
  }

  nodePort(port: number, protocol: string): void {
    this.#nodePorts.push({ port, protocol })
  }

  /** Makes sure that no other server gives away the ports taken so far; resolves to one that one of them has given. */
  async reserve(): Promise<NodePort | undefined> {
    const { reservations, client } = this.#options
    if (!reservations || this.#dryRun || this.#nodePorts.length === 0) return undefined
    const asked = [...this.#nodePorts]
    const refused = await reservations.reserve(asked)
    if (refused) return refused
    this.#reserved = asked
    // Whoever had the reservation before may have stored a Service by it that this server has not seen yet.
    const { items } = await client().list(Service)
    return asked.find(({ port, protocol }) => items.some(service => hasNodePort(service, port, protocol)))
  }

  /** The Service is stored, or will not be: its ports are seen there from now on. */
  async settle(): Promise<void> {
    for (const { port, protocol } of this.#nodePorts.splice(0)) this.#ports.release(port, protocol)
    const reserved = this.#reserved.splice(0)
    // What fails here ends by itself, with the reservation's lease.
    if (reserved.length > 0) await this.#options.reservations?.release(reserved).catch(() => undefined)
  }

  async release(): Promise<void> {
    await this.settle()
    await Promise.all(this.#addresses.splice(0).map(address => releaseAddress(this.#options.client(), address)))
  }
}

async function takeAddresses(
  service: Mutable<Service>,
  old: Service | undefined,
  ranges: readonly AddressRange[],
  taken: Taken,
): Promise<void> {
  if (!needsClusterIP(service)) return
  const present = new Set(old ? addressesOf(old) : [])
  const families = familiesOf(service, ranges)
  const addresses: string[] = []
  for (const [index, family] of families.entries()) {
    const range = ranges.find(one => one.family === family)
    if (!range) continue
    const wanted = service.spec.clusterIPs?.[index]
    if (wanted !== undefined && present.has(wanted)) addresses.push(wanted)
    else addresses.push(wanted ? await takeNamed(wanted, service, range, taken) : await takeAny(service, range, taken))
  }
  service.spec.clusterIPs = addresses
  service.spec.clusterIP = addresses[0] ?? ''
}

async function takeNamed(wanted: string, service: Mutable<Service>, range: AddressRange, taken: Taken): Promise<string> {
  const refuse = (why: string) => {
    const errors = new FieldErrors()
    errors
      .at('spec')
      .at('clusterIPs')
      .invalid([...(service.spec.clusterIPs ?? [])], `failed to allocate IP ${wanted}: ${why}`)
    return invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors.all)
  }
  if (!contains(range, wanted)) throw refuse(`the provided network does not match the current range`)
  if (!(await taken.address(wanted, service, range))) throw refuse('provided IP is already allocated')
  return wanted
}

async function takeAny(service: Mutable<Service>, range: AddressRange, taken: Taken): Promise<string> {
  for (const address of candidates(range, taken.random)) if (await taken.address(address, service, range)) return address
  throw internalError(new Error(`failed to allocate a serviceIP: range is full`))
}

/** Takes node ports that no other server gives away at the same time; where one did, others are chosen for those that nobody asked for. */
async function takeReservedPorts(service: Mutable<Service>, old: Service | undefined, ports: NodePorts, taken: Taken): Promise<void> {
  const asked = { health: service.spec.healthCheckNodePort, ports: (service.spec.ports ?? []).map(({ nodePort }) => nodePort) }
  const passedOver: NodePort[] = []
  try {
    for (;;) {
      takeNodePorts(service, old, ports, taken)
      const refused = await taken.reserve()
      if (!refused) return
      await taken.settle()
      for (const [index, { nodePort, protocol }] of (service.spec.ports ?? []).entries()) {
        if (asked.ports[index] && nodePort === refused.port && protocol === refused.protocol)
          throw alreadyAllocated(service, index, nodePort)
      }
      if (asked.health === refused.port) throw healthPortTaken(refused.port)
      ports.hold(refused.port, refused.protocol)
      passedOver.push(refused)
      for (const [index, port] of (service.spec.ports ?? []).entries()) setOrDelete(port, 'nodePort', asked.ports[index])
      setOrDelete(service.spec, 'healthCheckNodePort', asked.health)
    }
  } finally {
    for (const { port, protocol } of passedOver) ports.release(port, protocol)
  }
}

function setOrDelete<Key extends string>(holder: { [key in Key]?: number | undefined }, key: Key, value: number | undefined): void {
  if (value === undefined) delete holder[key]
  else holder[key] = value
}

function takeNodePorts(service: Mutable<Service>, old: Service | undefined, ports: NodePorts, taken: Taken): void {
  takeHealthPort(service, old, ports, taken)
  if (!needsNodePorts(service)) return
  const before = new Set((old?.spec.ports ?? []).map(({ nodePort, protocol }) => `${nodePort}/${protocol}`))
  const own = new Map<string, number>()
  const list = service.spec.ports ?? []
  for (const [index, port] of list.entries()) {
    if (!port.nodePort) continue
    own.set(portKey(port), port.nodePort)
    if (!before.has(`${port.nodePort}/${port.protocol}`)) takeNamedPort(service, index, port, ports, taken)
  }
  for (const port of list) {
    if (port.nodePort) continue
    // The same port for another protocol (DNS over TCP and UDP) gets the same node port.
    const shared = [...own].find(([key, nodePort]) => key.startsWith(`${port.port}/`) && ports.isFree(nodePort, port.protocol))
    const given = shared ? shared[1] : ports.take([port.protocol])
    if (given === undefined) throw internalError(new Error('failed to allocate a nodePort: range is full'))
    if (shared) ports.hold(given, port.protocol)
    taken.nodePort(given, port.protocol)
    port.nodePort = given
    own.set(portKey(port), given)
  }
}

const portKey = ({ port, protocol }: Pick<ServicePort, 'port' | 'protocol'>) => `${port}/${protocol}`

function takeNamedPort(service: Mutable<Service>, index: number, port: Mutable<ServicePort>, ports: NodePorts, taken: Taken): void {
  const nodePort = port.nodePort!
  if (!ports.isInRange(nodePort)) {
    throw badNodePort(
      service,
      index,
      nodePort,
      `provided port is not in the valid range. The range of valid ports is ${ports.first}-${ports.last}`,
    )
  }
  if (!ports.isFree(nodePort, port.protocol)) throw alreadyAllocated(service, index, nodePort)
  ports.hold(nodePort, port.protocol)
  taken.nodePort(nodePort, port.protocol)
}

function alreadyAllocated(service: Mutable<Service>, index: number, nodePort: number): Error {
  return badNodePort(service, index, nodePort, 'provided port is already allocated')
}

function badNodePort(service: Mutable<Service>, index: number, nodePort: number, why: string): Error {
  const errors = new FieldErrors()
  errors.at('spec').at('ports').index(index).at('nodePort').invalid(nodePort, why)
  return invalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors.all)
}

function healthPortTaken(port: number): Error {
  return internalError(new Error(`failed to allocate requested HealthCheck NodePort ${port}: provided port is already allocated`))
}

function takeHealthPort(service: Mutable<Service>, old: Service | undefined, ports: NodePorts, taken: Taken): void {
  const { spec } = service
  if (!needsHealthPort(service)) return
  if (spec.healthCheckNodePort !== undefined && spec.healthCheckNodePort === old?.spec.healthCheckNodePort) return
  const given = spec.healthCheckNodePort ?? ports.take(['TCP'])
  if (given === undefined) throw internalError(new Error('failed to allocate a HealthCheckNodePort: range is full'))
  if (spec.healthCheckNodePort !== undefined) {
    if (!ports.isFree(given, 'TCP')) throw healthPortTaken(given)
    ports.hold(given, 'TCP')
  }
  taken.nodePort(given, 'TCP')
  spec.healthCheckNodePort = given
}

/** Addresses that the Service had and has no longer. */
function givenUp(service: Mutable<Service>, old: Service | undefined): string[] {
  if (!old || equal(old.spec.clusterIPs, service.spec.clusterIPs)) return []
  return addressesOf(old).filter(address => !service.spec.clusterIPs?.includes(address))
}

function addressesOf({ spec }: Service): readonly string[] {
  return spec.type === 'ExternalName' || spec.clusterIP === 'None' ? [] : (spec.clusterIPs ?? [])
}

async function releaseAddress(client: Client, address: string): Promise<void> {
  try {
    await client.delete(IPAddress, { name: nameOfAddress(address) })
  } catch (error) {
    if ((error as { reason?: unknown }).reason !== 'NotFound') throw error
  }
}

/** IPAddresses of IPv6 are named by the address as it is; both families are lower case already. */
const nameOfAddress = (address: string) => address
