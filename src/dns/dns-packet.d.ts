/** The parts of the library that tests compare our encoding with. */
declare module 'dns-packet' {
  export interface Packet {
    readonly id?: number
    readonly type?: 'query' | 'response'
    readonly flags?: number
    readonly rcode?: string
    readonly flag_tc?: boolean
    readonly flag_aa?: boolean
    readonly flag_ra?: boolean
    readonly questions?: readonly { readonly name: string; readonly type: string; readonly class?: string }[]
    readonly answers?: readonly PacketRecord[]
    readonly authorities?: readonly PacketRecord[]
    readonly additionals?: readonly PacketRecord[]
  }
  export interface PacketRecord {
    readonly name: string
    readonly type: string
    readonly ttl?: number
    readonly data?: unknown
    readonly udpPayloadSize?: number
    readonly flags?: number
  }
  export function encode(packet: Packet): Buffer
  export function decode(bytes: Buffer): Required<Packet>
  export const RECURSION_DESIRED: number
}
