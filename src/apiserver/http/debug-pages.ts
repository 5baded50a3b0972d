import { StatusError } from '#machinery/status/status-error.ts'
import { headerOf } from './exchange.ts'
import type { DocumentRoute } from './path-route.ts'
import type { RequestContext } from './request-context.ts'

/** `/statusz`, `/flagz` and `/debug/pprof/`: what the process is and how it was started, for people. */
export function debugPages(facts: {
  readonly version: string
  readonly flags: Readonly<Record<string, string>>
  uptimeSeconds(): number
}): DocumentRoute {
  return {
    serve(context, path) {
      if (path === '/statusz') {
        return page(context, `kube-apiserver statusz\n\nUptime: ${Math.round(facts.uptimeSeconds())}s\nBinary version: ${facts.version}\n`)
      }
      if (path === '/flagz') {
        const lines = Object.entries(facts.flags).map(([name, value]) => `${name}=${value}\n`)
        return page(context, `kube-apiserver flags\n\n${lines.join('')}`)
      }
      if (path === '/debug/pprof' || path === '/debug/pprof/') {
        const text =
          'This program is profiled with node: start it with NODE_OPTIONS=--cpu-prof, or send it SIGUSR1 and attach an inspector.\n'
        context.sendText(200, text)
        return true
      }
      return false
    },
  }
}

/** These pages are for people: as plain text, to those who ask for it. */
function page(context: RequestContext, text: string): true {
  const accept = headerOf(context.exchange, 'accept') ?? ''
  if (!accept.split(',').some(clause => clause.trim().startsWith('text/plain'))) {
    throw new StatusError({ code: 406, reason: 'NotAcceptable', message: 'only the following media types are accepted: text/plain' })
  }
  context.sendText(200, text)
  return true
}
