import { describe, expect, it } from 'vitest'
import { clusterView } from './cluster-view.ts'
import { handSource, portOf, serviceOf, sliceOf } from './dns.fixture.ts'
import { lookUp } from './records.ts'
import type { RecordData } from './wire/record.ts'

const zone = { domain: 'cluster.local', ttlSeconds: 30 }
const view = clusterView({
  namespaces: handSource({ metadata: { name: 'default' } }, { metadata: { name: 'kube-system' } }),
  services: handSource(
    serviceOf('web', {
      clusterIP: '10.96.0.1',
      clusterIPs: ['10.96.0.1', 'fd00:96::1'],
      ports: [portOf('http', 80), portOf('dns', 53, 'UDP')],
    }),
    serviceOf('plain', { clusterIP: '10.96.0.2', ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }] }),
    serviceOf('db', { clusterIP: 'None', clusterIPs: ['None'] }),
    serviceOf('eager', { clusterIP: 'None', publishNotReadyAddresses: true }),
    serviceOf('lonely', { clusterIP: 'None' }),
    serviceOf('out', { type: 'ExternalName', externalName: 'WWW.Example.com.' }),
    serviceOf('wrong', { type: 'ExternalName', externalName: '192.0.2.1' }),
    serviceOf('kube-dns', { clusterIP: '10.96.0.10' }, 'kube-system'),
  ),
  endpointSlices: handSource(
    sliceOf('db', {
      endpoints: [
        { address: '10.244.0.5', hostname: 'db-0' },
        { address: '10.244.0.6' },
        { address: '10.244.0.7', hostname: 'db-2', ready: false },
      ],
      ports: [
        { name: 'sql', port: 5432 },
        { name: 'admin', port: 8080 },
      ],
    }),
    sliceOf(
      'db',
      { endpoints: [{ address: 'fd00:244::5', hostname: 'db-0' }], ports: [{ name: 'sql', port: 5432 }], addressType: 'IPv6' },
      'db-6',
    ),
    sliceOf('eager', { endpoints: [{ address: '10.244.0.9', hostname: 'eager-0', ready: false }] }),
    sliceOf('lonely', { endpoints: [{ address: '10.244.0.10', ready: false }] }),
    sliceOf('web', { endpoints: [{ address: '10.244.0.11' }] }),
  ),
})

function text(data: RecordData): string {
  if (data.type === 'A' || data.type === 'AAAA') return `${data.type} ${data.address}`
  if (data.type === 'SRV') return `SRV ${data.port} ${data.target}`
  if (data.type === 'TXT') return `TXT ${data.texts.join()}`
  if (data.type === 'CNAME' || data.type === 'PTR' || data.type === 'NS') return `${data.type} ${data.target}`
  return data.type
}

/** The records as text, `nothing` for a name without such a record, `NXDOMAIN`, or `elsewhere`. */
function answer(name: string, type: string): string {
  const found = lookUp(zone, view, name, type)
  if (!found) return 'elsewhere'
  if (found.rcode !== 'NOERROR') return found.rcode
  return found.answers.length === 0
    ? 'nothing'
    : found.answers
        .map(record => text(record.data))
        .sort()
        .join(', ')
}

const svc = (name: string) => `${name}.svc.cluster.local`

describe('a Service with cluster IPs', () => {
  it.each([
    ['web.default', 'A', 'A 10.96.0.1'],
    ['web.default', 'AAAA', 'AAAA fd00:96::1'],
    ['plain.default', 'AAAA', 'nothing'],
    ['web.default', 'MX', 'nothing'],
    ['_http._tcp.web.default', 'SRV', 'SRV 80 web.default.svc.cluster.local'],
    ['_dns._udp.web.default', 'SRV', 'SRV 53 web.default.svc.cluster.local'],
    ['_dns._tcp.web.default', 'SRV', 'NXDOMAIN'],
    ['_http._tcp.web.default', 'A', 'nothing'],
    ['_tcp.web.default', 'SRV', 'nothing'],
    ['_sctp.web.default', 'SRV', 'NXDOMAIN'],
    ['__tcp.plain.default', 'SRV', 'NXDOMAIN'],
    ['10-244-0-11.web.default', 'A', 'A 10.244.0.11'],
    ['absent.default', 'A', 'NXDOMAIN'],
    ['web.absent', 'A', 'NXDOMAIN'],
    ['web.kube-system', 'A', 'NXDOMAIN'],
  ])('%s %s is %s', (name, type, expected) => {
    expect(answer(svc(name), type)).toBe(expected)
  })

  it('tells the addresses of its SRV target along', () => {
    const found = lookUp(zone, view, svc('_http._tcp.web.default'), 'SRV')!
    expect(found.additionals.map(record => `${record.name} ${text(record.data)}`)).toEqual([
      'web.default.svc.cluster.local A 10.96.0.1',
      'web.default.svc.cluster.local AAAA fd00:96::1',
    ])
  })
})

describe('a headless Service', () => {
  it.each([
    ['db.default', 'A', 'A 10.244.0.5, A 10.244.0.6'],
    ['db.default', 'AAAA', 'AAAA fd00:244::5'],
    ['db-0.db.default', 'A', 'A 10.244.0.5'],
    ['db-0.db.default', 'AAAA', 'AAAA fd00:244::5'],
    ['10-244-0-6.db.default', 'A', 'A 10.244.0.6'],
    ['db-2.db.default', 'A', 'NXDOMAIN'],
    ['_admin._tcp.db.default', 'SRV', 'SRV 8080 10-244-0-6.db.default.svc.cluster.local, SRV 8080 db-0.db.default.svc.cluster.local'],
    ['_sql._tcp.db.default', 'SRV', 'SRV 5432 10-244-0-6.db.default.svc.cluster.local, SRV 5432 db-0.db.default.svc.cluster.local'],
    ['_sql._udp.db.default', 'SRV', 'NXDOMAIN'],
    ['eager-0.eager.default', 'A', 'A 10.244.0.9'],
    ['eager.default', 'A', 'A 10.244.0.9'],
    ['lonely.default', 'A', 'NXDOMAIN'],
  ])('%s %s is %s', (name, type, expected) => {
    expect(answer(svc(name), type)).toBe(expected)
  })
})

describe('other names', () => {
  it.each([
    [svc('out.default'), 'A', 'CNAME www.example.com'],
    [svc('x.out.default'), 'A', 'NXDOMAIN'],
    [svc('wrong.default'), 'A', 'NXDOMAIN'],
    ['10-244-0-5.default.pod.cluster.local', 'A', 'A 10.244.0.5'],
    ['10-244-0-5.default.pod.cluster.local', 'AAAA', 'nothing'],
    ['fd00-244--5.default.pod.cluster.local', 'AAAA', 'AAAA fd00:244::5'],
    ['10-244-0-5.absent.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['10-244-0-256.default.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['dns-version.cluster.local', 'TXT', 'TXT 1.1.0'],
    ['cluster.local', 'NS', 'NS ns.dns.cluster.local'],
    ['cluster.local', 'SOA', 'SOA'],
    ['cluster.local', 'A', 'nothing'],
    ['ns.dns.cluster.local', 'A', 'A 10.96.0.10'],
    ['svc.cluster.local', 'A', 'nothing'],
    ['default.svc.cluster.local', 'A', 'nothing'],
    ['default.pod.cluster.local', 'A', 'nothing'],
    ['absent.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['nonsense.cluster.local', 'A', 'NXDOMAIN'],
    ['a.b.c.d.web.default.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['__proto__.constructor.svc.cluster.local', 'A', 'NXDOMAIN'],
    ['www.example.com', 'A', 'elsewhere'],
    ['notcluster.local', 'A', 'elsewhere'],
    ['1.0.96.10.in-addr.arpa', 'PTR', 'PTR web.default.svc.cluster.local'],
    ['1.0.96.10.in-addr.arpa', 'A', 'nothing'],
    ['5.0.244.10.in-addr.arpa', 'PTR', 'PTR db-0.db.default.svc.cluster.local'],
    ['6.0.244.10.in-addr.arpa', 'PTR', 'PTR 10-244-0-6.db.default.svc.cluster.local'],
    ['11.0.244.10.in-addr.arpa', 'PTR', 'elsewhere'],
    ['8.8.8.8.in-addr.arpa', 'PTR', 'elsewhere'],
    ['8.8.in-addr.arpa', 'PTR', 'elsewhere'],
    [`1.${'0.'.repeat(23)}6.9.0.0.0.0.d.f.ip6.arpa`, 'PTR', 'PTR web.default.svc.cluster.local'],
  ])('%s %s is %s', (name, type, expected) => {
    expect(answer(name, type)).toBe(expected)
  })

  it('of a search path end at once, so that the next one is tried', () => {
    expect(answer('www.example.com.default.svc.cluster.local', 'A')).toBe('NXDOMAIN')
    expect(answer('www.example.com.svc.cluster.local', 'A')).toBe('NXDOMAIN')
    expect(answer('www.example.com.cluster.local', 'A')).toBe('NXDOMAIN')
  })
})
