import { readFileSync } from 'node:fs'
import type { Agent } from 'undici'
import type { CallExtender } from '#scheduler/extenders/extender.ts'

type Settings = Parameters<CallExtender>[2]['settings']

/** Reaches scheduler extenders over HTTP or HTTPS, as their `tlsConfig` says; certificates are read once. */
export function extenderCaller(): CallExtender {
  const agents = new Map<Settings, Agent>()
  const agentOf = async (settings: Settings) => {
    const { Agent } = await import('undici') // a megabyte of code, which few need
    const agent = agents.get(settings) ?? new Agent({ connect: tlsOf(settings) })
    agents.set(settings, agent)
    return agent
  }
  return async (url, body, { settings, timeoutMs }) => {
    const target = new URL(/^https?:/.test(url) ? url : `${settings.enableHTTPS ? 'https' : 'http'}://${url}`)
    const { statusCode, body: answer } = await (await agentOf(settings)).request({
      origin: target.origin,
      path: target.pathname + target.search,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
    const text = await answer.text()
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${text.slice(0, 200)}`)
    return JSON.parse(text)
  }
}

function tlsOf({ tlsConfig }: Settings) {
  const pem = (data: string | undefined, file: string | undefined) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(file) : undefined
  const { caData, caFile, certData, certFile, keyData, keyFile, insecure, serverName } = tlsConfig ?? {}
  const [ca, cert, key] = [pem(caData, caFile), pem(certData, certFile), pem(keyData, keyFile)]
  return {
    rejectUnauthorized: !insecure,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(serverName ? { servername: serverName } : {}),
  }
}
