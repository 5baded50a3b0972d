import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { HTTPHeader } from '#kinds/core/v1/probe.ts'

/** How one run of a probe went; `warning` counts as success. */
export interface ProbeOutcome {
  readonly result: 'success' | 'warning' | 'failure'
  readonly message: string
}

export interface HttpTarget {
  readonly scheme: 'HTTP' | 'HTTPS' | (string & {})
  readonly host: string
  readonly port: number
  readonly path: string
  readonly headers: readonly HTTPHeader[]
}

const BODY_LIMIT = 10 * 1024
const REDIRECT_LIMIT = 10

/** Asks for a page: 200 to 399 is good. Redirects are followed on the same host. */
export async function probeHttp(target: HttpTarget, timeoutMs: number, userAgent = 'kube-probe/1.36'): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(timeoutMs)
  let url = addressOf(target)
  try {
    for (let hops = 0; ; hops++) {
      const { status, location, body } = await get(url, headersOf(target.headers, userAgent), signal)
      if (status < 200 || status >= 400) return { result: 'failure', message: `HTTP probe failed with statuscode: ${status}` }
      if (status < 300 || location === undefined) return { result: 'success', message: body }
      const next = new URL(location, url)
      if (next.hostname !== url.hostname) return { result: 'warning', message: `Probe terminated redirects, Response body: ${body}` }
      if (hops >= REDIRECT_LIMIT) return { result: 'failure', message: `Get "${url.href}": stopped after 10 redirects` }
      url = next
    }
  } catch (error) {
    return { result: 'failure', message: `Get "${url.href}": ${reasonOf(error, signal)}` }
  }
}

function addressOf({ scheme, host, port, path }: HttpTarget): URL {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return new URL(`${scheme.toLowerCase()}://${bracketed}:${port}${path.startsWith('/') ? path : `/${path}`}`)
}

function headersOf(given: readonly HTTPHeader[], userAgent: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { 'User-Agent': userAgent, Accept: '*/*', Connection: 'close' }
  for (const { name, value } of given) {
    const key = Object.keys(headers).find(known => known.toLowerCase() === name.toLowerCase()) ?? name
    if (value === '' && (key === 'Accept' || key === 'User-Agent')) delete headers[key]
    else headers[key] = value
  }
  return headers
}

function get(url: URL, headers: Record<string, string | string[]>, signal: AbortSignal) {
  return new Promise<{ status: number; location: string | undefined; body: string }>((resolve, reject) => {
    const answer = (response: IncomingMessage) => {
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        if (size < BODY_LIMIT) parts.push(part)
        size += part.length
        if (size >= BODY_LIMIT) finish()
      })
      const finish = () => {
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          body: Buffer.concat(parts).toString('utf8').slice(0, BODY_LIMIT),
        })
        response.destroy()
      }
      response.on('end', finish)
      response.on('error', reject)
    }
    const call =
      url.protocol === 'https:'
        ? httpsRequest(url, { headers, signal, agent: false, rejectUnauthorized: false }, answer)
        : httpRequest(url, { headers, signal, agent: false }, answer)
    call.on('error', reject)
    call.end()
  })
}

/** Opens a connection and closes it at once. */
export function probeTcp(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise(resolve => {
    const signal = AbortSignal.timeout(timeoutMs)
    const socket = connect({ host, port })
    const finish = (outcome: ProbeOutcome) => {
      signal.removeEventListener('abort', late)
      socket.destroy()
      resolve(outcome)
    }
    const late = () => finish({ result: 'failure', message: `dial tcp ${joined(host, port)}: i/o timeout` })
    signal.addEventListener('abort', late, { once: true })
    socket.once('connect', () => finish({ result: 'success', message: '' }))
    socket.once('error', error => finish({ result: 'failure', message: `dial tcp ${joined(host, port)}: ${reasonOf(error, signal)}` }))
  })
}

const joined = (host: string, port: number) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'read: connection reset by peer',
  ENOTFOUND: 'no such host',
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
  const { code, message, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const words = WORDS[code ?? '']
  if (words === undefined) return message
  return address === undefined || port === undefined ? words : `dial tcp ${joined(address, port)}: ${words}`
}
