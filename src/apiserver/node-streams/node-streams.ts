import type { Caller, RequestTarget } from '#client/direct/api-handler.ts'
import { badRequest } from '#machinery/status/failures.ts'
import type { Handler } from '../handler.ts'
import { methodNotAllowed, type RequestContext } from '../http/request-context.ts'
import { admissionOf } from '../registry/admission-of.ts'
import type { ConnectCall, ConnectSubresource, Destination } from '../subresources/connect.ts'
import { connectOptions } from '../subresources/connect-options.ts'
import { connectSubresources } from '../subresources/connect-subresources.ts'
import type { KubeletConnection } from './kubelet-connection.ts'
import { relayLog } from './log-relay.ts'
import { peerOf } from './peer.ts'
import { relayProxy } from './proxy-relay.ts'
import { translateCommand, translationFor, tunnel } from './translation.ts'
import { relayUpgrade } from './upgrade-relay.ts'

/** Requests that are answered by nodes and what runs on them: logs, exec, attach, port-forward and the proxies. */
export class NodeStreams {
  readonly #handler: Handler
  readonly #kubelets: KubeletConnection
  readonly #byName = new Map<string, ConnectSubresource>()

  constructor(handler: Handler, kubelets: KubeletConnection) {
    this.#handler = handler
    this.#kubelets = kubelets
    for (const one of connectSubresources) this.#byName.set(`${one.group}/${one.resource}/${one.name}`, one)
  }

  find(group: string, resource: string, subresource: string): ConnectSubresource | undefined {
    return this.#byName.get(`${group}/${resource}/${subresource}`)
  }

  async serve(context: RequestContext, target: RequestTarget, subresource: ConnectSubresource): Promise<void> {
    const { exchange } = context
    const { core } = this.#handler
    const { name, manner } = subresource
    const verb = verbOf(exchange.method, manner)
    const caller = context.caller()
    await this.#handler.admitTo(caller, target, verb, name)
    const call = callOf(target, exchange)
    const needed = subresource.alsoNeeds?.(call)
    if (needed && needed !== verb) await this.#handler.admitTo(caller, target, needed, name)
    if (manner !== 'log') await this.#admit(caller, target, name, call)
    const destination = await subresource.locate(core, call)
    if (!destination) return nothing(context)
    await this.#pass(context, call, subresource, destination)
  }

  /** Admission may refuse; what it changes of the options is nobody's to see. */
  async #admit(caller: Caller, { kind, namespace, name }: RequestTarget, subresource: string, call: ConnectCall): Promise<void> {
    const { admission } = this.#handler.core
    const asked = { kind, namespace, name, subresource, caller, dryRun: false }
    const request = admissionOf(asked, { operation: 'CONNECT', object: connectOptions(kind, subresource, call) })
    await admission.admit(request)
    await admission.validate(request)
  }

  async #pass(context: RequestContext, call: ConnectCall, { manner }: ConnectSubresource, destination: Destination): Promise<void> {
    const { exchange } = context
    const { core } = this.#handler
    const { upgrade } = exchange
    if (manner === 'stream' && !upgrade) throw badRequest('Upgrade request required')
    if (manner === 'proxy' && !upgrade && call.path === '' && (exchange.method === 'GET' || exchange.method === 'HEAD')) {
      const location = `${exchange.path}/${exchange.query === '' ? '' : `?${exchange.query}`}`
      context.markAnswered()
      return exchange.answer(301, { ...context.headers('text/plain'), location }, [])
    }
    const insecure = call.query.get('insecureSkipTLSVerifyBackend') === 'true'
    const peer = await peerOf(core, destination, this.#kubelets, manner === 'log' && insecure)
    const path = pathOf(call, destination, manner, exchange.query)
    if (manner === 'log') return relayLog(context, peer, path, call.name, core.clock)
    const translation = upgrade && manner === 'stream' ? translationFor(upgrade, peer) : undefined
    if (!upgrade) await relayProxy(exchange, peer, path, exchange.path.slice(0, exchange.path.length - call.path.length), core.clock)
    else if (translation === 'command') await translateCommand(upgrade, peer, path, core.clock)
    else if (translation === 'tunnel') await tunnel(exchange, upgrade, peer, path, core.clock)
    else await relayUpgrade(exchange, upgrade, peer, path, core.clock)
    context.markAnswered()
  }
}

/** There is a log, and nothing in it yet. */
function nothing(context: RequestContext): void {
  const { 'content-type': _, ...headers } = context.headers('')
  context.markAnswered()
  context.exchange.answer(204, headers)
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

function verbOf(method: string, manner: ConnectSubresource['manner']): string {
  const isAllowed = manner === 'proxy' || method === 'GET' || (manner === 'stream' && method === 'POST')
  const verb = VERBS[method] ?? (method === 'OPTIONS' ? '' : undefined)
  if (!isAllowed || verb === undefined) throw methodNotAllowed()
  return verb
}

function callOf({ namespace, name, kind }: RequestTarget, { path, query }: { readonly path: string; readonly query: string }): ConnectCall {
  const before = kind.scope === 'Namespaced' ? 8 : 6
  const behind = path.split('/').slice(before)
  return { namespace, name, query: new URLSearchParams(query), path: behind.length > 0 ? `/${behind.join('/')}` : '' }
}

function pathOf(call: ConnectCall, destination: Destination, manner: ConnectSubresource['manner'], query: string): string {
  if (manner === 'proxy') return `${call.path === '' ? '/' : call.path}${query === '' ? '' : `?${query}`}`
  if (destination.to !== 'kubelet') return '/'
  const text = destination.query.toString()
  return text === '' ? destination.path : `${destination.path}?${text}`
}
