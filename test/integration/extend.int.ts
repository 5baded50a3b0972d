import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Answered, type Asked, type HttpsServer, httpsServer } from '#apiserver/webhooks/https-server.fixture.ts'
import { silentLogger } from '#base/log/logger.ts'
import { newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { kubeconfig, writePrivateFile } from '#cluster/certificates/admin-kubeconfig.ts'
import { clusterCertificates } from '#cluster/certificates/cluster-certificates.ts'
import { authenticationByCertificates } from '#cluster/components/certificate-authentication.ts'
import { type LoneApiServer, startLoneApiServer } from '#cluster/components/lone-api-server.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'

/* An API server with webhooks and an aggregated API behind it, over TLS, as upstream's kubectl sees it. */

const PORT = 46_531
const directory = mkdtempSync(join(tmpdir(), 't8s-extend-'))
const clock = realClock()
const store = new MemoryStore({ clock })
let server: LoneApiServer
let kubectl: Kubectl
let hook: HttpsServer
let answers: Record<string, (asked: Asked) => Answered | undefined | Promise<Answered | undefined>>

beforeAll(async () => {
  const certificates = await clusterCertificates(directory, clock, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
  const keys = newKeyPair()
  const issuer = 'https://kubernetes.default.svc'
  server = await startLoneApiServer({
    store,
    clock,
    random: systemRandom(),
    log: silentLogger,
    address: '127.0.0.1',
    port: PORT,
    advertiseAddress: '127.0.0.1',
    tls: { certificate: certificates.apiServer.certificate, key: certificates.apiServer.privateKey },
    authentication: authenticationByCertificates(certificates),
    frontProxy: certificates.frontProxyClient,
    anonymous: false,
    authorizers: [{ type: 'Node' }, { type: 'RBAC' }],
    admission: { enabled: [], disabled: ['ServiceAccount'] },
    serviceCIDRs: ['10.96.0.0/16'],
    nodePortRange: '30000-32767',
    serviceAccounts: { issuers: [issuer], audiences: [issuer], signingKey: keys.privateKey, verificationKeys: [keys.publicKey] },
    maxReadsInflight: 400,
    maxWritesInflight: 200,
    publishesEndpoints: false,
  })
  const file = join(directory, 'kubeconfig')
  writePrivateFile(file, kubeconfig('extend', `https://127.0.0.1:${PORT}`, certificates.authority.certificate, certificates.admin))
  kubectl = await kubectlFor(file)
  hook = await httpsServer(asked => answers[asked.path.split('?')[0]!]?.(asked) ?? { status: 404 }, ['hook.default.svc', 'localhost'])
})

beforeEach(() => {
  answers = {}
  hook.asked.length = 0
})

afterAll(async () => {
  await server.stop()
  await hook[Symbol.asyncDispose]()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const apply = (...objects: object[]) => kubectl('apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) })
const failure = (command: Promise<string>): Promise<string> =>
  command.then(
    () => 'it was allowed',
    error => (error as Error).message,
  )

const review = ({ body }: Asked, response: object): Answered => {
  const { apiVersion, kind, request } = body as { apiVersion: string; kind: string; request: { uid: string } }
  return { body: { apiVersion, kind, response: { uid: request.uid, ...response } } }
}
const patch = (...operations: object[]) => ({ allowed: true, patchType: 'JSONPatch', patch: btoa(JSON.stringify(operations)) })

/** Has webhooks asked about ConfigMaps that are created with a label of the test's own. */
function webhooks(kind: 'Mutating' | 'Validating', label: string, ...hooks: object[]): Promise<string> {
  return apply({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${kind}WebhookConfiguration`,
    metadata: { name: label },
    webhooks: hooks.map((one, index) => ({
      name: `hook${index}.example.com`,
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      objectSelector: { matchLabels: { test: label } },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      ...one,
    })),
  })
}

const configMap = (test: string, name = test) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels: { test } },
})

describe('an admission webhook', () => {
  it('at a URL refuses in its own words', async () => {
    answers['/no'] = asked => review(asked, { allowed: false, status: { message: 'not today', code: 403 } })
    await webhooks('Validating', 'by-url', { clientConfig: { url: `${hook.url}/no`, caBundle: hook.caBundle } })
    expect(await failure(apply(configMap('by-url')))).toContain('admission webhook "hook0.example.com" denied the request: not today')
    expect(hook.asked[0]).toMatchObject({
      path: '/no?timeout=10s',
      body: { request: { operation: 'CREATE', name: 'by-url', userInfo: { username: 'kubernetes-admin' } } },
    })
  })

  it('behind a Service changes what is stored', async () => {
    const spec = { type: 'ExternalName', externalName: 'localhost' }
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'hook' }, spec })
    answers['/label'] = asked => review(asked, patch({ op: 'add', path: '/metadata/labels/by', value: 'hook' }))
    const service = { namespace: 'default', name: 'hook', path: '/label', port: hook.port }
    await webhooks('Mutating', 'by-service', { clientConfig: { service, caBundle: hook.caBundle } })
    await apply(configMap('by-service'))
    expect(await kubectl('get configmap by-service -o jsonpath={.metadata.labels.by}')).toBe('hook')
    expect(hook.asked[0]!.headers['host']).toBe(`hook.default.svc:${hook.port}`)
  })

  it('is found by the endpoints of its Service, without a proxy on this machine', async () => {
    answers['/yes'] = asked => review(asked, { allowed: true, warnings: ['seen'] })
    const own = await httpsServer(asked => answers[asked.path.split('?')[0]!]?.(asked), ['pods.default.svc'])
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'pods' },
      spec: { ports: [{ name: 'https', port: 443 }] },
    })
    await storeEndpoints('pods', own.port)
    await webhooks('Validating', 'by-endpoints', {
      clientConfig: { service: { namespace: 'default', name: 'pods', path: '/yes' }, caBundle: own.caBundle },
    })
    await apply(configMap('by-endpoints'))
    expect(own.asked.length).toBe(1)
    await kubectl('delete endpointslice pods-1')
    expect(await failure(apply(configMap('by-endpoints', 'again')))).toContain('no endpoints available for service "pods"')
    await own[Symbol.asyncDispose]()
  })

  it('is not believed if somebody else signed it', async () => {
    await webhooks('Validating', 'wrong-ca', { clientConfig: { url: `${hook.url}/yes`, caBundle: btoa(await ownAuthority()) } })
    expect(await failure(apply(configMap('wrong-ca')))).toContain('x509: certificate signed by unknown authority')
    expect(hook.asked).toEqual([])
  })

  it('that does not answer in time fails the request, or is passed over, as it says', async () => {
    answers['/slow'] = () => new Promise(() => undefined)
    const slow = { clientConfig: { url: `${hook.url}/slow`, caBundle: hook.caBundle }, timeoutSeconds: 1 }
    await webhooks('Validating', 'fail', { ...slow, failurePolicy: 'Fail' })
    expect(await failure(apply(configMap('fail')))).toContain('/slow?timeout=1s": context deadline exceeded')
    await webhooks('Validating', 'ignore', { ...slow, failurePolicy: 'Ignore' })
    await apply(configMap('ignore'))
    expect(hook.asked.length).toBe(2)
  })

  it('sees again what others changed after it, if it wants to', async () => {
    answers['/a'] = asked => review(asked, { allowed: true })
    answers['/b'] = asked => review(asked, patch({ op: 'add', path: '/data', value: { b: '1' } }))
    const at = (path: string) => ({ clientConfig: { url: `${hook.url}${path}`, caBundle: hook.caBundle } })
    await webhooks('Mutating', 'again', { ...at('/a'), reinvocationPolicy: 'IfNeeded' }, at('/b'))
    await apply(configMap('again'))
    expect(hook.asked.map(({ path }) => path.split('?')[0])).toEqual(['/a', '/b', '/a'])
    expect(hook.asked[2]!.body).toMatchObject({ request: { object: { data: { b: '1' } } } })
  })
})

describe('an aggregated API', () => {
  it('is reached by kubectl as any other, in the name of who asks', async () => {
    const widget = ({ headers }: Asked) => ({
      apiVersion: 'shop.example.com/v1',
      kind: 'Widget',
      metadata: { namespace: 'default', name: 'one', annotations: { 'shop.example.com/seen-by': String(headers['x-remote-user']) } },
    })
    const resource = {
      name: 'widgets',
      singularName: 'widget',
      namespaced: true,
      kind: 'Widget',
      shortNames: ['wd'],
      verbs: ['get', 'list', 'create'],
    }
    answers['/apis/shop.example.com/v1'] = () => ({
      body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'shop.example.com/v1', resources: [resource] },
    })
    const path = '/apis/shop.example.com/v1/namespaces/default/widgets'
    answers[path] = asked => ({ body: { apiVersion: 'shop.example.com/v1', kind: 'WidgetList', metadata: {}, items: [widget(asked)] } })
    answers[`${path}/one`] = asked => ({ body: widget(asked) })
    const spec = { type: 'ExternalName', externalName: 'localhost' }
    const service = { namespace: 'default', name: 'hook', port: hook.port }
    await apply(
      { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'hook' }, spec },
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.shop.example.com' },
        spec: {
          group: 'shop.example.com',
          version: 'v1',
          groupPriorityMinimum: 1500,
          versionPriority: 15,
          service,
          caBundle: hook.caBundle,
        },
      },
    )
    await kubectl('wait --for=condition=Available apiservice/v1.shop.example.com --timeout=30s')
    expect(await kubectl('get wd -o name')).toBe('widget.shop.example.com/one')
    expect(await kubectl('get widget one -o jsonpath={.metadata.annotations}')).toBe('{"shop.example.com/seen-by":"kubernetes-admin"}')
    expect(await kubectl('api-resources --api-group=shop.example.com --no-headers')).toMatch(
      /^widgets\s+wd\s+shop.example.com\/v1\s+true\s+Widget$/,
    )
    expect(await kubectl('get apiservice v1.shop.example.com --no-headers')).toMatch(/^v1\.shop\.example\.com\s+default\/hook\s+True\s/)
    expect(await failure(kubectl('get widgets --as=nobody'))).toContain(
      'User "nobody" cannot list resource "widgets" in API group "shop.example.com"',
    )
    await kubectl('delete apiservice v1.shop.example.com')
    expect(await failure(kubectl('get widgets'))).toContain('the server could not find the requested resource')
  })

  it('finds what it needs to know of this server in a ConfigMap', async () => {
    const data = JSON.parse(await kubectl('-n kube-system get configmap extension-apiserver-authentication -o jsonpath={.data}')) as Record<
      string,
      string
    >
    expect(data).toMatchObject({
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-username-headers': '["x-remote-user"]',
      'requestheader-group-headers': '["x-remote-group"]',
    })
    expect(data['requestheader-client-ca-file']).toContain('BEGIN CERTIFICATE')
    expect(data['client-ca-file']).toContain('BEGIN CERTIFICATE')
  })
})

/** Endpoints on loopback are refused by validation, so that these go past it into the store. */
async function storeEndpoints(service: string, port: number): Promise<void> {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'default',
      name: `${service}-1`,
      uid: `${service}-1`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: 'https', protocol: 'TCP', port }],
  }
  const value = new TextEncoder().encode(JSON.stringify(slice))
  await store.txn({ compare: [], success: [{ type: 'put', key: `/registry/endpointslices/default/${service}-1`, value }] })
}

/** The certificate of an authority that signed nobody here. */
async function ownAuthority(): Promise<string> {
  return (await newAuthority(clock, 'somebody-else')).certificate
}
