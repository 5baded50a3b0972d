import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApiServer, createApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { alwaysAllow } from '#apiserver/authorization/always.ts'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'

/** The page whose files and commands are run here. */
const PAGE = new URL('../../docs/how-to/custom-resources.md', import.meta.url)

const clock = realClock()
const admin: Authenticator = {
  name: 'test',
  authenticate: async () => ({ user: { name: 'admin', groups: ['system:masters'] } }),
}

let server: ApiServer
let store: MemoryStore
let directory: string
let kubectl: Kubectl

beforeAll(async () => {
  store = new MemoryStore({ clock })
  const kinds = [...builtInKinds, ...subresourceKinds]
  server = createApiServer({ store, kinds, clock, random: systemRandom(), log: silentLogger, authorizer: alwaysAllow })
  await server.ready()
  const credential = await newAuthority(clock, 'test')
  const issued = await certificateAuthority(clock, credential).issue({
    commonName: 'localhost',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
    validSeconds: 3600,
  })
  const tls = { certificate: issued.certificate, key: issued.privateKey }
  const { port } = await server.listen({ address: '127.0.0.1', port: 0, tls, authenticator: admin })
  directory = await mkdtemp(join(tmpdir(), 't8s-custom-'))
  const cluster = { server: `https://127.0.0.1:${port}`, 'certificate-authority-data': btoa(credential.certificate) }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token: 'any' } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  }
  await writeFile(join(directory, 'kubeconfig'), JSON.stringify(config))
  kubectl = await kubectlFor(join(directory, 'kubeconfig'))
  for (const [, file, text] of (await readFile(PAGE, 'utf8')).matchAll(/```yaml\n# (\w+\.yaml)\n(.*?)```/gs)) {
    await writeFile(join(directory, file!), text!)
  }
})

afterAll(async () => {
  await server.stop()
  await store.close()
  await rm(directory, { recursive: true })
})

describe('a custom resource, with upstream’s kubectl', () => {
  it('does what the page says of it', async () => {
    const file = (name: string) => join(directory, name)
    expect(await kubectl(`apply -f ${file('databases.yaml')}`)).toBe(
      'customresourcedefinition.apiextensions.k8s.io/databases.example.com created',
    )
    await kubectl('wait --for=condition=Established crd/databases.example.com')
    expect(await kubectl(`apply -f ${file('database.yaml')}`)).toBe('database.example.com/orders created')
    expect(await kubectl('get db --field-selector spec.engine=postgres')).toMatch(
      /^NAME +ENGINE +REPLICAS +AGE\norders +postgres +1 +\d+s$/,
    )
    expect(await kubectl('get all -o name')).toContain('database.example.com/orders')
    expect(await kubectl('scale db/orders --replicas=3')).toBe('database.example.com/orders scaled')
    await expect(kubectl('patch db orders --type merge -p {"spec":{"engine":"mysql"}}')).rejects.toThrow('the engine stays')
    expect(await kubectl('explain database.spec.replicas')).toMatch(
      /FIELD: replicas <integer>\s+DESCRIPTION:\s+How many copies there are\./,
    )
    expect(await kubectl('explain database.spec --output plaintext-openapiv2')).toContain('What the database is to be.')
    const edit = { env: { KUBE_EDITOR: 'sed -i s/5432/5433/' } }
    expect(await kubectl('edit db orders', edit)).toBe('database.example.com/orders edited')
    expect(await kubectl('get db orders -o jsonpath={.spec.ports[0].port},{.spec.replicas}')).toBe('5433,3')
    expect(await kubectl('delete crd databases.example.com')).toContain('deleted')
    await expect(kubectl('get db')).rejects.toThrow()
  })
})
