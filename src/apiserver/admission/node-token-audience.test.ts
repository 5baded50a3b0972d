import { expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { TokenRequest } from '#kinds/authentication/v1/token-request.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { alwaysDeny } from '../authorization/always.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionRequest } from './admission.ts'
import { audienceProblem } from './node-token-audience.ts'

const driver = (audience: string) =>
  decodeObject(CSIDriver, { metadata: { name: `${audience}-driver` }, spec: { tokenRequests: [{ audience }] } })
const objects: Readonly<Record<string, object>> = {
  'CSIDriver /vault-driver': driver('vault'),
  'CSIDriver /disk-driver': driver('disk'),
  'PersistentVolumeClaim a/data': decodeObject(PersistentVolumeClaim, { metadata: { name: 'data' }, spec: { volumeName: 'pv' } }),
  'PersistentVolume /pv': decodeObject(PersistentVolume, {
    metadata: { name: 'pv' },
    spec: { csi: { driver: 'disk-driver', volumeHandle: 'h' } },
  }),
}
const informers = () =>
  ({
    of: (kind: AnyKind) => ({ get: (namespace: string, name: string) => objects[`${kind.kind} ${namespace}/${name}`] }),
  }) as unknown as Informers

const pod = decodeObject(Pod, {
  metadata: { name: 'p', namespace: 'a' },
  spec: {
    containers: [{ name: 'c', image: 'x' }],
    volumes: [
      {
        name: 'own',
        projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { serviceAccountToken: { path: 't', audience: 'mesh' } }] },
      },
      { name: 'secrets', csi: { driver: 'vault-driver' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ],
  },
}) as Pod

const problem = (audiences: readonly string[], authorizer: Authorizer = alwaysDeny) =>
  audienceProblem(
    {
      object: decodeObject(TokenRequest, { spec: { audiences } }),
      namespace: 'a',
      name: 'robot',
      user: { name: 'system:node:n1', groups: ['system:nodes'] },
    } as unknown as AdmissionRequest,
    pod,
    informers,
    authorizer,
  )

it.each([[[]], [['mesh']], [['vault']], [['disk']]])('a node may ask for a token for whom its pod names: %j', async audiences => {
  expect(await problem(audiences)).toBeUndefined()
})

it('a node may not ask for a token for anybody else, nor for several at once', async () => {
  expect(await problem(['bank'])).toBe('audience "bank" not found in pod spec volume')
  expect(await problem(['mesh', 'vault'])).toBe('node may only request 0 or 1 audiences')
})

it('a node may be allowed to ask for more', async () => {
  const asked: Attributes[] = []
  const allowing: Authorizer = {
    name: 'test',
    authorize(attributes) {
      asked.push(attributes)
      return { verdict: 'allow', reason: '' }
    },
  }
  expect(await problem(['bank'], allowing)).toBeUndefined()
  expect(asked[0]).toMatchObject({ verb: 'request-serviceaccounts-token-audience', resource: 'bank', namespace: 'a', name: 'robot' })
})
