import { isIP } from 'node:net'
import { SetupError } from '../setup-error.ts'

/** `10.0.0.1:80`, `[::1]:80`, or an address alone, for which `port` then counts. */
export function addressAndPort(text: string, port: number): { readonly address: string; readonly port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const address = match?.[1] ?? match?.[2] ?? text
  const number = match ? Number(match[3]) : port
  if (!isIP(address) || number > 65_535)
    throw new SetupError(`${JSON.stringify(text)} is no address to serve at`, 'write it as ADDRESS:PORT, such as 127.0.0.1:10256')
  return { address, port: number }
}
