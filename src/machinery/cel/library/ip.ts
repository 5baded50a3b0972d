import {
  declareFunction,
  type FunctionDeclaration,
  globalOverload,
  type Library,
  memberOverload,
} from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, INT, opaque, STRING } from '#base/languages/cel/types.ts'
import { formatIp, type IpAddress, isMapped, parseIp } from './ip-address.ts'
import { OpaqueValue } from './opaque-value.ts'
import { succeeds } from './succeeds.ts'

export const IP_TYPE = opaque('net.IP')
export type IpValue = OpaqueValue<IpAddress>

export function ipValue(address: IpAddress): IpValue {
  return new OpaqueValue(IP_TYPE, address, (a, b) => a.bits === b.bits && a.value === b.value)
}

/** An address without zone, and none of IPv4 in the guise of IPv6. */
export function ipOf(text: string): IpAddress {
  if (text.includes('%') && text.includes(':'))
    throw new EvaluationError(`IP address ${JSON.stringify(text)} with zone value is not allowed`)
  let address: IpAddress
  try {
    address = parseIp(text)
  } catch (error) {
    throw new EvaluationError(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ${(error as Error).message}`)
  }
  if (isMapped(address)) throw new EvaluationError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return address
}

const asks = (name: string, id: string, ask: (address: IpAddress) => boolean): FunctionDeclaration =>
  declareFunction(
    name,
    memberOverload(id, [IP_TYPE], BOOL, (ip: IpValue) => ask(ip.held)),
  )

/** `ip('10.0.0.1')`, `isIP`, `ip.isCanonical` and what can be asked of an address. */
export const IP_LIBRARY: Library = {
  types: [IP_TYPE],
  functions: [
    declareFunction(
      'ip',
      globalOverload('string_to_ip', [STRING], IP_TYPE, (text: string) => ipValue(ipOf(text))),
    ),
    declareFunction(
      'isIP',
      globalOverload('is_ip', [STRING], BOOL, (text: string) => succeeds(() => ipOf(text))),
    ),
    declareFunction(
      'ip.isCanonical',
      globalOverload('ip_is_canonical', [STRING], BOOL, (text: string) => formatIp(ipOf(text)) === text),
    ),
    declareFunction(
      'string',
      globalOverload('ip_to_string', [IP_TYPE], STRING, (ip: IpValue) => formatIp(ip.held)),
    ),
    declareFunction(
      'family',
      memberOverload('ip_family', [IP_TYPE], INT, (ip: IpValue) => (ip.held.bits === 32 ? 4n : 6n)),
    ),
    asks('isUnspecified', 'ip_is_unspecified', ({ value }) => value === 0n),
    asks('isLoopback', 'ip_is_loopback', isLoopback),
    asks('isLinkLocalMulticast', 'ip_is_link_local_multicast', ({ bits, value }) =>
      bits === 32 ? value >> 8n === 0xe00000n : ((value >> 112n) & 0xff0fn) === 0xff02n,
    ),
    asks('isLinkLocalUnicast', 'ip_is_link_local_unicast', isLinkLocal),
    asks('isGlobalUnicast', 'ip_is_global_unicast', address => {
      const isBroadcast = address.bits === 32 && address.value === 0xffffffffn
      return address.value !== 0n && !isBroadcast && !isLoopback(address) && !isMulticast(address) && !isLinkLocal(address)
    }),
  ],
}

function isLoopback({ bits, value }: IpAddress): boolean {
  return bits === 32 ? value >> 24n === 127n : value === 1n
}

function isLinkLocal({ bits, value }: IpAddress): boolean {
  return bits === 32 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan
}

function isMulticast({ bits, value }: IpAddress): boolean {
  return bits === 32 ? value >> 28n === 0xen : value >> 120n === 0xffn
}
