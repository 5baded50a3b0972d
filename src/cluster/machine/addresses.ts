import { networkInterfaces } from 'node:os'

/** The first address of this machine (or of the network namespace this process is in) that others reach; undefined if there is none. */
export function firstAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) if (family === 'IPv4' && !internal) return address
  }
  return undefined
}
