import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { openPort as listen, type OpenPort } from '#base/net/open-port.ts'
import { SetupError } from '../setup-error.ts'

/** Where a port is. */
export interface ServingAddress {
  readonly address: string
  readonly port: number
}

/** What is answered: a status, and a text. */
export type PageAnswer = readonly [status: number, body: string, type?: string]

/** Answers pages over plain HTTP, as kube-proxy and kubelet do on loopback. `port` 0: none is opened. */
export async function servePlain(
  at: ServingAddress,
  pages: Readonly<Record<string, (request: IncomingMessage) => PageAnswer | Promise<PageAnswer>>>,
): Promise<AsyncDisposable> {
  if (at.port === 0) return nothingServed
  const answer = async (request: IncomingMessage): Promise<PageAnswer> => {
    const page = pages[new URL(request.url ?? '/', 'http://localhost').pathname]
    return page ? page(request) : [404, '404 page not found\n']
  }
  return openPort(createPlain(listenerOf(answer)), at)
}

/** Stands for a port that was not to be opened. */
export const nothingServed: OpenPort = { port: 0, async [Symbol.asyncDispose]() {} }

/** The metrics of this process, as a page. */
export function processMetrics(): () => Promise<PageAnswer> {
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return async () => [200, await metrics.metrics()]
}

/** Writes what `answer` answers as plain text. */
export function listenerOf(answer: (request: IncomingMessage) => Promise<PageAnswer>): RequestListener {
  const respond = (response: ServerResponse, [status, body, type = 'text/plain; charset=utf-8']: PageAnswer) => {
    response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' })
    response.end(body)
  }
  return (request, response) => {
    answer(request).then(
      answered => respond(response, answered),
      error => respond(response, [500, `${(error as Error).message}\n`]),
    )
  }
}

/** Opens the port of a server. Throws {@link SetupError} if that cannot be. */
export async function openPort(server: ReturnType<typeof createPlain> | SecureServer, at: ServingAddress): Promise<OpenPort> {
  try {
    return await listen(server, at)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new SetupError(`Port ${at.port} of ${at.address} cannot be served (${code})`, 'choose another port or end who uses it')
  }
}
