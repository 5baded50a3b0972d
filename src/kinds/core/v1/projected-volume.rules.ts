import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelSelector } from '../../meta/v1/rules.ts'
import { validateFieldRef, validateResourceRef } from './field-ref.rules.ts'
import { validateItems } from './key-to-path.rules.ts'
import { validateFileMode, validateFilePath } from './path.rules.ts'
import type { DownwardAPIVolumeFile, VolumeProjection } from './projected-volume.ts'
import { validateUserAnnotations } from './user-annotations.rules.ts'

/** Several sources in one directory: no two may write the same file. `errors` stands at the volume's source. */
export function validateProjections(sources: readonly VolumeProjection[], errors: FieldErrors): void {
  const paths = new Set<string>()
  const claim = (path: string, blamed: string) => {
    if (path === '') return
    if (paths.has(path)) errors.invalid(blamed, 'conflicting duplicate paths')
    paths.add(path)
  }
  sources.forEach((source, index) => {
    const at = errors.at('sources').index(index)
    const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
    for (const [name, part] of [
      ['secret', secret],
      ['configMap', configMap],
    ] as const) {
      if (!part) continue
      if (!part.name) at.at(name).at('name').required()
      validateItems(part.items, at.at(name).at('items'))
      for (const item of part.items ?? []) claim(item.path, part.name ?? '')
    }
    for (const file of downwardAPI?.items ?? []) {
      validateFileFieldRefs(file, at.at('downwardAPI'))
      claim(file.path, file.path)
    }
    if (serviceAccountToken) validateToken(serviceAccountToken, at.at('serviceAccountToken'), errors)
    if (clusterTrustBundle) {
      validateTrustBundle(clusterTrustBundle, at.at('clusterTrustBundle'))
      claim(clusterTrustBundle.path, clusterTrustBundle.path)
    }
    if (podCertificate) validateCertificate(podCertificate, at.at('podCertificate'), claim)
    const count = Object.values(source).filter(part => part !== undefined).length
    if (count > 1) at.forbidden('may not specify more than 1 volume type per source')
  })
}

/** A file that tells a container about its pod. */
export function validateFileFieldRefs(file: DownwardAPIVolumeFile, errors: FieldErrors): void {
  if (file.path === '') errors.at('path').required()
  validateFilePath(file.path, errors.at('path'))
  if (file.fieldRef) {
    validateFieldRef(file.fieldRef, FILE_FIELDS, errors.at('fieldRef'))
    if (file.resourceFieldRef) errors.invalid('resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')
  } else if (file.resourceFieldRef) validateResourceRef(file.resourceFieldRef, true, errors.at('resourceFieldRef'))
  else errors.required('one of fieldRef and resourceFieldRef is required')
  validateFileMode(file.mode, errors.at('mode'))
}

const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']

function validateToken(token: NonNullable<VolumeProjection['serviceAccountToken']>, errors: FieldErrors, volume: FieldErrors): void {
  const { expirationSeconds, path } = token
  if (expirationSeconds < 600) errors.at('expirationSeconds').invalid(expirationSeconds, 'may not specify a duration less than 10 minutes')
  if (expirationSeconds > 2 ** 32) {
    errors.at('expirationSeconds').invalid(expirationSeconds, 'may not specify a duration larger than 2^32 seconds')
  }
  if (path === '') volume.at('path').required()
  else validateFilePath(path, volume.at('path'))
}

function validateTrustBundle(bundle: NonNullable<VolumeProjection['clusterTrustBundle']>, errors: FieldErrors): void {
  const { name, signerName, labelSelector, path } = bundle
  if (name !== undefined && signerName !== undefined) errors.invalid(bundle, 'only one of name and signerName may be used')
  else if (name !== undefined) {
    if (name === '') errors.at('name').required('must be a valid object name')
    const last = name.slice(name.lastIndexOf(':') + 1)
    for (const wrong of isDNS1123Subdomain(last)) errors.at('name').invalid(name, `not a valid clustertrustbundlename: ${wrong}`)
    if (labelSelector) errors.at('labelSelector').invalid(labelSelector, 'labelSelector must be unset if name is specified')
  } else if (signerName !== undefined) {
    if (signerName === '') errors.at('signerName').required('must be a valid signer name')
    validateSignerName(signerName, errors.at('signerName'))
    validateLabelSelector(labelSelector, errors.at('labelSelector'))
  } else errors.required('either name or signerName must be specified')
  if (path === '') errors.at('path').required()
  validateFilePath(path, errors.at('path'))
}

function validateCertificate(
  certificate: NonNullable<VolumeProjection['podCertificate']>,
  errors: FieldErrors,
  claim: (path: string, blamed: string) => void,
): void {
  const { signerName, keyType, maxExpirationSeconds, credentialBundlePath = '', keyPath = '', certificateChainPath = '' } = certificate
  validateSignerName(signerName, errors.at('signerName'))
  if (!KEY_TYPES.includes(keyType)) errors.at('keyType').notSupported(keyType, KEY_TYPES)
  if (maxExpirationSeconds !== undefined && (maxExpirationSeconds < 3600 || maxExpirationSeconds > 7_862_400)) {
    const detail =
      maxExpirationSeconds < 3600
        ? 'if provided, maxExpirationSeconds must be >= 3600'
        : 'if provided, maxExpirationSeconds must be <= 7862400'
    errors.at('maxExpirationSeconds').invalid(maxExpirationSeconds, detail)
  }
  const paths = { credentialBundlePath, keyPath, certificateChainPath }
  if (Object.values(paths).every(path => path === '')) {
    errors.required('specify at least one of credentialBundlePath, keyPath, and certificateChainPath')
  }
  for (const [name, path] of Object.entries(paths)) {
    if (path === '') continue
    validateFilePath(path, errors.at(name))
    claim(path, path)
  }
  validateUserAnnotations(certificate.userAnnotations ?? {}, errors.at('userAnnotations'))
}

const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']

/** `example.com/signer`: a domain and a path within it. */
export function validateSignerName(name: string, errors: FieldErrors): void {
  if (name === '') {
    errors.required()
    return
  }
  const [domain, path, ...more] = name.split('/')
  if (path === undefined || more.length > 0) {
    errors.invalid(name, `must be a fully qualified domain and path of the form 'example.com/signer-name'`)
    return
  }
  const wrongDomain = isDNS1123Subdomain(domain!)
  if (wrongDomain.length > 0) errors.invalid(name, `validating label ${JSON.stringify(domain)}: ${wrongDomain[0]}`)
  if (!domain!.includes('.')) errors.invalid(name, 'should be a domain with at least two segments separated by dots')
  const wrongPath = isDNS1123Subdomain(path)
  if (wrongPath.length > 0) errors.invalid(name, `validating label ${JSON.stringify(path)}: ${wrongPath[0]}`)
  if (name.length > 571) errors.tooLong(571)
}
