type Fields = Record<string, unknown>

/**
 * A definition as upstream's API server stores it to this day, in `apiextensions.k8s.io/v1beta1`, as one of `v1`: what all versions have in
 * common stands in its spec there (apiextensions-apiserver, `Convert_apiextensions_CustomResourceDefinitionSpec_To_v1_…`).
 */
export function definitionFromV1beta1(definition: Fields): Fields {
  const {
    version,
    versions,
    validation,
    subresources,
    additionalPrinterColumns,
    selectableFields,
    conversion,
    preserveUnknownFields = true,
    ...rest
  } = (definition['spec'] ?? {}) as Fields
  const common = {
    ...(validation ? { schema: validation } : {}),
    ...(subresources ? { subresources } : {}),
    ...(additionalPrinterColumns ? { additionalPrinterColumns } : {}),
    ...(selectableFields ? { selectableFields } : {}),
  }
  const listed = (versions as readonly Fields[] | undefined) ?? []
  const all = listed.length > 0 ? listed : version ? [{ name: version, served: true, storage: true }] : []
  return {
    ...definition,
    apiVersion: 'apiextensions.k8s.io/v1',
    spec: {
      scope: 'Namespaced',
      ...rest,
      versions: all.map(one => withColumns({ ...one, ...common })),
      ...(conversion ? { conversion: conversionFrom(conversion as Fields) } : {}),
      ...(preserveUnknownFields ? { preserveUnknownFields } : {}),
    },
  }
}

/** `JSONPath` there is `jsonPath` here. */
function withColumns(version: Fields): Fields {
  const columns = version['additionalPrinterColumns'] as readonly Fields[] | undefined
  if (!columns) return version
  return { ...version, additionalPrinterColumns: columns.map(({ JSONPath, ...column }) => ({ ...column, jsonPath: JSONPath })) }
}

function conversionFrom({ webhookClientConfig, conversionReviewVersions, ...conversion }: Fields): Fields {
  if (!webhookClientConfig && !conversionReviewVersions) return conversion
  const clientConfig = webhookClientConfig ? { clientConfig: webhookClientConfig } : {}
  return { ...conversion, webhook: { ...clientConfig, conversionReviewVersions: conversionReviewVersions ?? ['v1beta1'] } }
}
