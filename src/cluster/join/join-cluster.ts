import { X509Certificate } from 'node:crypto'
import { type RequestOptions, request } from 'node:https'
import { SetupError } from '../setup-error.ts'
import { type AgentAnswer, type AgentRequest, AUTHORITY_PATH, JOIN_PATHS, type ServerAnswer, type ServerRequest } from './join-messages.ts'
import { authorityHashOf, type JoinToken } from './join-token.ts'

const TIMEOUT_MS = 30_000
const ANSWER_LIMIT_BYTES = 1 << 20

/**
 * The authority of the cluster at `server`, if it is the one the token names. Nothing but the question for it goes over a connection that
 * is not trusted yet; everything after that is said only to a server this authority has signed.
 */
export async function fetchAuthority(server: string, token: JoinToken): Promise<string> {
  const { status, body } = await ask(server, AUTHORITY_PATH, { rejectUnauthorized: false })
  let hash = ''
  try {
    hash = status === 200 ? authorityHashOf(body) : ''
  } catch {
    // says the same as the wrong authority
  }
  if (hash !== token.authorityHash || !new X509Certificate(body).ca) {
    throw new SetupError(
      `The server at ${server} is not of the cluster that the token is for`,
      'check the address; if it is right, somebody may stand between: nothing was sent',
    )
  }
  return body
}

/** Asks to become a node. */
export function joinAsAgent(
  server: string,
  authority: string,
  message: AgentRequest,
  identity?: { cert: string; key: string },
): Promise<AgentAnswer> {
  return post<AgentAnswer>(server, JOIN_PATHS.agent, message, { ca: authority, ...identity })
}

/** Asks to become a server. */
export function joinAsServer(server: string, authority: string, message: ServerRequest): Promise<ServerAnswer> {
  return post<ServerAnswer>(server, JOIN_PATHS.server, message, { ca: authority })
}

async function post<Answer>(server: string, path: string, message: object, options: RequestOptions): Promise<Answer> {
  const { status, body } = await ask(server, path, { ...options, method: 'POST' }, JSON.stringify(message))
  if (status === 200) return JSON.parse(body) as Answer
  throw new SetupError(`${server} did not let this machine join (${status})`, messageOf(body))
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message)
  } catch {
    return body.trim().slice(0, 300) || 'it says nothing more'
  }
}

function ask(server: string, path: string, options: RequestOptions, body?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) =>
      reject(new SetupError(`${server} cannot be reached (${error.code ?? error.message})`, explain(error), { cause: error }))
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(new URL(path, server), { ...options, headers, agent: false, timeout: TIMEOUT_MS }, answer => {
      const chunks: Buffer[] = []
      let size = 0
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > ANSWER_LIMIT_BYTES) sent.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }))
      answer.on('error', fail)
    })
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)))
    sent.on('error', fail)
    sent.end(body)
  })
}

function explain(error: NodeJS.ErrnoException): string {
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'its certificate has other names: use one of those, or start it with --tls-san'
  return 'check the address, that the server runs, and that nothing keeps its port from this machine'
}
