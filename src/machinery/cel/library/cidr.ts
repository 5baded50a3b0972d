import { declareFunction, globalOverload, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, INT, opaque, STRING } from '#base/languages/cel/types.ts'
import { IP_TYPE, type IpValue, ipOf, ipValue } from './ip.ts'
import { formatIp, type IpAddress, isMapped, masked, parseIp } from './ip-address.ts'
import { OpaqueValue } from './opaque-value.ts'
import { succeeds } from './succeeds.ts'

const CIDR_TYPE = opaque('net.CIDR')

interface Prefix {
  readonly address: IpAddress
  readonly length: number
}
type CidrValue = OpaqueValue<Prefix>

/** `cidr('10.0.0.0/8')`, `isCIDR` and what can be asked of a network. */
export const CIDR_LIBRARY: Library = {
  types: [CIDR_TYPE],
  functions: [
    declareFunction(
      'cidr',
      globalOverload('string_to_cidr', [STRING], CIDR_TYPE, (text: string) => cidrValue(prefixOf(text))),
    ),
    declareFunction(
      'isCIDR',
      globalOverload('is_cidr', [STRING], BOOL, (text: string) => succeeds(() => prefixOf(text))),
    ),
    declareFunction(
      'containsIP',
      memberOverload('cidr_contains_ip_string', [CIDR_TYPE, STRING], BOOL, (cidr: CidrValue, text: string) =>
        contains(cidr.held, ipOf(text)),
      ),
      memberOverload('cidr_contains_ip_ip', [CIDR_TYPE, IP_TYPE], BOOL, (cidr: CidrValue, ip: IpValue) => contains(cidr.held, ip.held)),
    ),
    declareFunction(
      'containsCIDR',
      memberOverload('cidr_contains_cidr_string', [CIDR_TYPE, STRING], BOOL, (cidr: CidrValue, text: string) =>
        covers(cidr.held, prefixOf(text)),
      ),
      memberOverload('cidr_contains_cidr', [CIDR_TYPE, CIDR_TYPE], BOOL, (cidr: CidrValue, other: CidrValue) =>
        covers(cidr.held, other.held),
      ),
    ),
    declareFunction(
      'ip',
      memberOverload('cidr_ip', [CIDR_TYPE], IP_TYPE, (cidr: CidrValue) => ipValue(cidr.held.address)),
    ),
    declareFunction(
      'prefixLength',
      memberOverload('cidr_prefix_length', [CIDR_TYPE], INT, (cidr: CidrValue) => BigInt(cidr.held.length)),
    ),
    declareFunction(
      'masked',
      memberOverload('cidr_masked', [CIDR_TYPE], CIDR_TYPE, ({ held: { address, length } }: CidrValue) =>
        cidrValue({ address: masked(address, length), length }),
      ),
    ),
    declareFunction(
      'string',
      globalOverload('cidr_to_string', [CIDR_TYPE], STRING, ({ held: { address, length } }: CidrValue) => `${formatIp(address)}/${length}`),
    ),
  ],
}

function cidrValue(prefix: Prefix): CidrValue {
  return new OpaqueValue(
    CIDR_TYPE,
    prefix,
    (a, b) => a.length === b.length && a.address.bits === b.address.bits && a.address.value === b.address.value,
  )
}

function prefixOf(text: string): Prefix {
  const error = (reason: string) => {
    const why = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${reason}`
    return new EvaluationError(`network address parse error during conversion from string: ${why}`)
  }
  const slash = text.lastIndexOf('/')
  if (slash < 0) throw error("no '/'")
  let address: IpAddress
  try {
    address = parseIp(text.slice(0, slash))
  } catch (cause) {
    throw error((cause as Error).message)
  }
  const length = text.slice(slash + 1)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) throw error(`bad bits after slash: ${JSON.stringify(length)}`)
  if (Number(length) > address.bits) throw error('prefix length out of range')
  if (isMapped(address)) {
    throw new EvaluationError(
      `network address parse error during conversion from string: IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`,
    )
  }
  return { address, length: Number(length) }
}

function contains({ address, length }: Prefix, ip: IpAddress): boolean {
  return address.bits === ip.bits && masked(address, length).value === masked(ip, length).value
}

/** As upstream: the other network's address itself has to be the start of this one. */
function covers({ address, length }: Prefix, other: Prefix): boolean {
  return (
    address.bits === other.address.bits && length <= other.length && masked(address, length).value === masked(other.address, length).value
  )
}
