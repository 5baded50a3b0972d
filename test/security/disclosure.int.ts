import { once } from 'node:events'
import { createServer } from 'node:http'
import { type ApiServerProcess, ask } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* Attacks that want the server to fetch, or to tell, what is not theirs. */

attack({
  does: 'has the server ask itself, by the address of a pod of their own making',
  without: [
    {
      file: 'apiserver/subresources/proxied-name.ts',
      guard: "if (family === 0 || OWN.check(address, family === 6 ? 'ipv6' : 'ipv4')) throw badRequest('address not allowed')",
      instead: 'void [OWN, family]',
    },
  ],
  async attempt(server) {
    const inside = createServer((_, response) => response.end('only for this machine'))
    inside.listen(0, '127.0.0.1')
    await once(inside, 'listening')
    try {
      const { port } = inside.address() as { port: number }
      await create(server, '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
      await create(server, '/api/v1/namespaces/default/pods', {
        metadata: { name: 'decoy' },
        spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i' }] },
      })
      const seen: string[] = []
      for (const address of ['127.0.0.1', '::ffff:7f00:1']) {
        const status = { phase: 'Running', podIP: address, podIPs: [{ ip: address }] }
        await ask(server, 'PATCH', '/api/v1/namespaces/default/pods/decoy/status', { token: 'admin', body: { status }, headers: MERGE })
        const { text } = await ask(server, 'GET', `/api/v1/namespaces/default/pods/decoy:${port}/proxy/`, { token: 'admin' })
        seen.push(text)
      }
      return seen.some(text => text.includes('only for this machine'))
    } finally {
      inside.close()
    }
  },
})

attack({
  does: 'makes this machine an endpoint of a Service, for webhooks and aggregated servers to be called there',
  without: [
    {
      file: 'kinds/meta/v1/ip.ts',
      guard:
        "if (isIn(address, ['127.0.0.0/8', '::1/128'])) errors.invalid(text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')",
      instead: '',
    },
  ],
  async attempt(server) {
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
    const made = await Promise.all(
      ['127.0.0.1', '::ffff:7f00:1', '::ffff:127.0.0.1', '::1'].map((address, index) =>
        ask(server, 'POST', slices, {
          token: 'admin',
          body: {
            metadata: { name: `decoy-${index}`, labels: { 'kubernetes.io/service-name': 'decoy' } },
            addressType: address.includes(':') ? 'IPv6' : 'IPv4',
            endpoints: [{ addresses: [address] }],
            ports: [{ name: '', port: 10_250, protocol: 'TCP' }],
          },
        }),
      ),
    )
    return made.some(({ status }) => status === 201)
  },
})

attack({
  does: 'looks for tokens and secrets in what the server writes and answers',
  flags: ['--v=10'],
  without: [
    {
      file: 'apiserver/http/front.ts',
      guard: 'context.fail(error)\n    } finally {',
      instead: 'context.fail(error)\n    } finally {\n      log.info("request", { ...exchange.headers })',
    },
  ],
  async attempt(server) {
    const secret = {
      metadata: { name: 'Not A Name' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': 'treasure', 'tls.key': 'treasure' },
    }
    const answers = [
      await ask(server, 'POST', '/api/v1/namespaces/default/secrets', { token: 'admin', body: secret }),
      await ask(server, 'POST', '/api/v1/namespaces/default/secrets', { token: 'admin', body: { ...secret, data: { a: 'treasure!' } } }),
      await ask(server, 'GET', '/api/v1/secrets', { token: 'treasure' }),
      await ask(server, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        token: 'admin',
        body: { spec: { token: 'x' }, status: 3 },
      }),
    ]
    const told = answers.map(({ text }) => text).join('\n')
    return [server.log(), told].some(text => text.includes('treasure') || text.includes('dHJlYXN1cmU'))
  },
})

const MERGE = { 'content-type': 'application/merge-patch+json' }

async function create(server: ApiServerProcess, path: string, body: object): Promise<void> {
  const { status, text } = await ask(server, 'POST', path, { token: 'admin', body })
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
}
