import type { Informers } from '#client/informers/informer.ts'
import type { TokenRequest } from '#kinds/authentication/v1/token-request.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionRequest } from './admission.ts'

/** What has to be allowed to a node that asks for a token for somebody whom its pod does not name. */
const VERB = 'request-serviceaccounts-token-audience'

/**
 * A node asks for tokens only for those whom its pod names: in a projected volume, or by a CSI driver that wants them (KEP-4412). With such a
 * token for anybody else it could pass for the pod's account where that means most. What is wrong; undefined if nothing is.
 */
export async function audienceProblem(
  request: AdmissionRequest,
  pod: Pod,
  informers: () => Informers,
  authorizer: Authorizer,
): Promise<string | undefined> {
  const audiences = (request.object as unknown as TokenRequest).spec.audiences ?? []
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences'
  const audience = audiences[0] ?? ''
  if (audiencesOf(pod, informers).has(audience)) return undefined
  const { verdict } = await authorizer.authorize({
    user: request.user,
    verb: VERB,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    namespace: request.namespace,
    name: request.name,
  })
  return verdict === 'allow' ? undefined : `audience ${quote(audience)} not found in pod spec volume`
}

/** For whom a pod's volumes want tokens; '' is the API server. */
function audiencesOf({ metadata, spec }: Pod, informers: () => Informers): Set<string> {
  const found = new Set<string>()
  const { namespace = '', name = '' } = metadata
  const addDriver = (driver: string | undefined) => {
    const wanted = driver ? (informers().of(CSIDriver).get('', driver)?.spec.tokenRequests ?? []) : []
    for (const { audience } of wanted) found.add(audience)
  }
  const addClaim = (claim: string) => {
    const volume = informers().of(PersistentVolumeClaim).get(namespace, claim)?.spec.volumeName
    if (volume) addDriver(informers().of(PersistentVolume).get('', volume)?.spec.csi?.driver)
  }
  for (const volume of spec.volumes ?? []) {
    for (const { serviceAccountToken } of volume.projected?.sources ?? []) {
      if (serviceAccountToken) found.add(serviceAccountToken.audience ?? '')
    }
    addDriver(volume.csi?.driver)
    if (volume.persistentVolumeClaim) addClaim(volume.persistentVolumeClaim.claimName)
    if (volume.ephemeral) addClaim(`${name}-${volume.name}`)
  }
  return found
}
