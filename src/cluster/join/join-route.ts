import type { DocumentRoute } from '#apiserver/http/path-route.ts'
import type { RequestContext } from '#apiserver/http/request-context.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Credential } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { SharedSecrets } from '../certificates/shared-secrets.ts'
import type { AgentAnswer, AgentRequest, ClusterFacts, ServerAnswer, ServerRequest, TokenProof } from './join-messages.ts'
import { AUTHORITY_PATH, JOIN_PATHS } from './join-messages.ts'
import type { JoinRole } from './join-token.ts'
import { type NodeAuthorities, signNodeCertificates } from './node-certificates.ts'
import { claimNodeName } from './node-password.ts'
import { checkToken } from './token-secrets.ts'

export interface JoinRouteOptions {
  /** Acts as the server itself. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly authority: Credential
  readonly nodeAuthorities: NodeAuthorities
  readonly facts: ClusterFacts
  /** `https://host:port` of the API servers there are. */
  servers(): Promise<readonly string[]>
  /** Client URLs of etcd's members. */
  etcd(): Promise<readonly string[]>
  /** What every server has: read when a server joins. */
  secrets(): SharedSecrets
}

const BODY_LIMIT_BYTES = 64 << 10
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/** Lets machines join: tells everybody the cluster's authority, and gives to who brings a token what its role needs and nothing more. */
export function joinRoute(options: JoinRouteOptions): DocumentRoute {
  return {
    async serve(context, path) {
      if (path === AUTHORITY_PATH && context.exchange.method === 'GET') {
        context.sendText(200, options.authority.certificate)
        return true
      }
      const role = (['agent', 'server'] as const).find(one => JOIN_PATHS[one] === path)
      if (!role || context.exchange.method !== 'POST') return false
      const request = await requestOf(context)
      const answer =
        role === 'agent'
          ? await admitAgent(options, context, request as unknown as AgentRequest)
          : await admitServer(options, request as unknown as ServerRequest)
      context.send(200, { bytes: new TextEncoder().encode(JSON.stringify(answer)), contentType: 'application/json' })
      return true
    },
  }
}

async function admitAgent(options: JoinRouteOptions, context: RequestContext, request: AgentRequest): Promise<AgentAnswer> {
  const { client, log, nodeAuthorities, facts } = options
  const { nodeName, nodePassword, requests } = request
  mustBe(isName(nodeName), 'nodeName must be the name of a node')
  mustBe(typeof nodePassword === 'string' && nodePassword.length >= 16, 'nodePassword must have 16 characters or more')
  mustBe(
    [requests?.kubelet, requests?.serving, requests?.proxy].every(pem => typeof pem === 'string'),
    'requests must be certificate requests',
  )
  const isRenewal = context.user.name === `system:node:${nodeName}` && context.user.groups.includes('system:nodes')
  if (!isRenewal) await checkProof(options, 'agent', request.token)
  await claimNodeName(client, nodeName, nodePassword)
  const certificates = await signNodeCertificates(nodeAuthorities, nodeName, requests)
  log.info('a node was given certificates', { node: nodeName, isRenewal, from: context.exchange.connection.remoteAddress })
  return { cluster: facts, certificates, servers: await options.servers() }
}

async function admitServer(options: JoinRouteOptions, request: ServerRequest): Promise<ServerAnswer> {
  mustBe(isName(request.serverName), 'serverName must be the name of a server')
  await checkProof(options, 'server', request.token)
  options.log.info('a server was given the keys of the cluster', { server: request.serverName, token: request.token.id })
  return { cluster: options.facts, secrets: options.secrets(), etcd: await options.etcd() }
}

async function checkProof({ client, clock, authority }: JoinRouteOptions, role: JoinRole, proof: TokenProof | undefined): Promise<void> {
  const { id, secret } = proof ?? { id: '', secret: '' }
  mustBe(typeof id === 'string' && typeof secret === 'string', 'token must have an id and a secret')
  await checkToken(client, clock, authority, { role, id, secret })
}

async function requestOf(context: RequestContext): Promise<Record<string, unknown>> {
  let request: unknown
  try {
    request = JSON.parse(new TextDecoder().decode(await context.exchange.body(BODY_LIMIT_BYTES)))
  } catch {
    request = undefined
  }
  mustBe(typeof request === 'object' && request !== null && !Array.isArray(request), 'the body must be a JSON object of at most 64 KiB')
  return request as Record<string, unknown>
}

const isName = (name: unknown) => typeof name === 'string' && NAME.test(name)

function mustBe(condition: boolean, message: string): asserts condition {
  if (!condition) throw new StatusError({ code: 400, reason: 'BadRequest', message })
}
