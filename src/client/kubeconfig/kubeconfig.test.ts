import { describe, expect, it } from 'vitest'
import { mergeKubeconfigs, otherServersOf, parseKubeconfig, resolveContext } from './kubeconfig.ts'

const text = `
apiVersion: v1
kind: Config
current-context: home
clusters:
- name: here
  cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: Q0E= }
users:
- name: admin
  user: { client-certificate-data: Q0VSVA==, client-key-data: S0VZ }
contexts:
- name: home
  context: { cluster: here, user: admin, namespace: shop }
- name: broken
  context: { cluster: nowhere, user: admin }
`

describe('a kubeconfig', () => {
  it('is read and its current context resolved', () => {
    const context = resolveContext(parseKubeconfig(text))
    expect(context).toEqual({
      name: 'home',
      namespace: 'shop',
      cluster: { server: 'https://127.0.0.1:6443', certificateAuthorityData: 'Q0E=' },
      user: { clientCertificateData: 'Q0VSVA==', clientKeyData: 'S0VZ' },
    })
  })

  it('says what is missing', () => {
    expect(() => resolveContext(parseKubeconfig(text), 'broken')).toThrow(
      'cluster "nowhere" of context "broken" does not exist or names no server',
    )
    expect(() => resolveContext(parseKubeconfig(text), 'other')).toThrow('context "other" does not exist')
    expect(() => parseKubeconfig('[]')).toThrow('is no mapping')
    expect(() => parseKubeconfig('clusters: [{}]')).toThrow('an entry of clusters in the kubeconfig has no name')
  })

  it('names further servers of a cluster in an extension', () => {
    const of = (extension: string) =>
      otherServersOf(parseKubeconfig(text.replace('{ server:', `{ extensions: [${extension}], server:`)).clusters.get('here')!)
    expect(of('{ name: other, extension: { servers: 1 } }')).toEqual([])
    expect(of('{ name: typernetes.dev/servers, extension: { servers: ["https://127.0.0.1:6443/", "https://10.0.0.2:6443/"] } }')).toEqual([
      'https://10.0.0.2:6443',
    ])
    expect(() => of('{ name: typernetes.dev/servers, extension: { servers: ["10.0.0.2"] } }')).toThrow(
      'must be {servers: [https://host:port, …]}',
    )
  })

  it('is merged with others: the first word counts', () => {
    const other = parseKubeconfig(text.replace('current-context: home', 'current-context: broken').replace('127.0.0.1', '10.0.0.1'))
    const merged = mergeKubeconfigs([parseKubeconfig(text), other])
    expect(merged.currentContext).toBe('home')
    expect(merged.clusters.get('here')!.server).toBe('https://127.0.0.1:6443')
  })
})
