import { StatusError } from '#machinery/status/status-error.ts'
import { headerOf } from './exchange.ts'
import type { DocumentRoute } from './path-route.ts'
import type { RequestContext } from './request-context.ts'
import { VERSION } from './version.ts'

/** `/statusz`, `/flagz` and `/debug/pprof/`: what the process is and how it was started, for people. */
export function debugPages(facts: {
  readonly startedMs: number
  readonly flags: Readonly<Record<string, string>>
  uptimeSeconds(): number
}): DocumentRoute {
  return {
    serve(context, path) {
      if (path === '/statusz') return page(context, statuszText('kube-apiserver', facts.startedMs, facts.uptimeSeconds()))
      if (path === '/flagz') return page(context, flagzText('kube-apiserver', facts.flags))
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

/** What `/statusz` of a component shows: since when it runs, and as what. */
export function statuszText(component: string, startedMs: number, uptimeSeconds: number): string {
  const seconds = Math.floor(uptimeSeconds)
  const two = (number: number) => String(number % 60).padStart(2, '0')
  const up = `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60))} min ${two(seconds)} sec`
  const version = VERSION.gitVersion.slice(1)
  const lines = [
    `Started: ${new Date(startedMs).toUTCString()}`,
    `Up: ${up}`,
    `Node version: ${process.version}`,
    `Binary version: ${version}`,
    `Emulation version: ${version.split('.').slice(0, 2).join('.')}`,
  ]
  return `\n${component} statusz\n${WARNING}\n${lines.join('\n')}\n`
}

/** What `/flagz` of a component shows: every flag with its value. */
export function flagzText(component: string, flags: Readonly<Record<string, string>>): string {
  const lines = Object.entries(flags).map(([name, value]) => `${name}=${value}\n`)
  return `\n${component} flags\n${WARNING}\n${lines.join('')}`
}

/** These pages are for people: as plain text, to those who ask for it. */
export function takesPlainText(accept = ''): boolean {
  return accept.split(',').some(clause => /^(text|\*)\/(plain|\*)/.test(clause.trim()))
}

const WARNING =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.\n'

function page(context: RequestContext, text: string): true {
  if (!takesPlainText(headerOf(context.exchange, 'accept'))) {
    throw new StatusError({ code: 406, reason: 'NotAcceptable', message: 'only the following media types are accepted: text/plain' })
  }
  context.sendText(200, text)
  return true
}
