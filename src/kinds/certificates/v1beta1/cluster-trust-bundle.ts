import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { NONE, nameColumn } from '../../meta/v1/columns.ts'
import { nameOfTrustBundle, validateTrustBundle } from './cluster-trust-bundle.rules.ts'

export const ClusterTrustBundleSpec = message('io.k8s.api.certificates.v1beta1.ClusterTrustBundleSpec', {
  signerName: omitempty(1, string, 'Whose signatures these certificates vouch for; empty: nobody in particular.'),
  trustBundle: required(2, string, 'Certificates of authorities, in PEM.'),
})
export interface ClusterTrustBundleSpec extends StoredOf<typeof ClusterTrustBundleSpec> {}

export interface ClusterTrustBundle extends ObjectWith<{ spec: ClusterTrustBundleSpec }> {}

export const ClusterTrustBundle = defineKind({
  documentation: 'Certificates of authorities that pods may trust, for the whole cluster.',
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'ClusterTrustBundle',
  plural: 'clustertrustbundles',
  scope: 'Cluster',
  openapi: 'io.k8s.api.certificates.v1beta1',
  unconditionalUpdate: false,
  spec: ClusterTrustBundleSpec,
  columns: [
    nameColumn,
    {
      name: 'SignerName',
      description: 'signerName indicates the associated signer, if any.',
      of: ({ spec }) => spec.signerName || NONE,
    },
  ],
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
  validateName: () => [],
  validate({ metadata, spec }, errors) {
    const name = metadata.name ?? ''
    errors
      .at('metadata')
      .at('name')
      .invalidEach(name, nameOfTrustBundle(name, spec.signerName ?? ''))
    validateTrustBundle(spec, errors.at('spec'))
  },
  validateUpdate({ spec }, old, errors) {
    const { signerName = '' } = spec
    if (signerName !== (old.spec.signerName ?? '')) errors.at('spec').at('signerName').invalid(signerName, 'field is immutable')
  },
})
