import { ListMeta, ObjectMeta } from '#machinery/kind/object-meta.ts'
import { type AnySchema, embedded, list, message, required } from '#machinery/schema/schema.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

const PartialObjectMetadata = message(`${META}.PartialObjectMetadata`, { metadata: embedded(1, ObjectMeta, 'Metadata of the object.') })

/** Metadata by itself, which has a form in protobuf whatever it is the metadata of: informers that read nothing else ask for it so. */
export const metadataSchemas: Readonly<Record<string, AnySchema>> = {
  PartialObjectMetadata,
  PartialObjectMetadataList: message(`${META}.PartialObjectMetadataList`, {
    metadata: embedded(1, ListMeta, 'Metadata of the list.'),
    items: required(2, list(PartialObjectMetadata), 'Metadata of each object.'),
  }),
}
