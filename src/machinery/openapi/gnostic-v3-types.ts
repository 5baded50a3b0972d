import { boolean, lazy, list, message, number, omitempty, optional, type Schema, string } from '../schema/schema.ts'

/*
 * The protobuf messages of OpenAPI version 3, as `application/com.github.proto-openapi.spec.v3.v1.0+protobuf` carries them (openapi.v3 of
 * gnostic): what Kubernetes' documents use of them. Names are free; the numbers are the format.
 */

const Any = message('openapi.v3.Any', { yaml: optional(2, string) })
const NamedAny = message('openapi.v3.NamedAny', { name: optional(1, string), value: optional(2, Any) })
const Reference = message('openapi.v3.Reference', { $ref: optional(1, string) })

/** A schema or a reference to one, as the codec takes it. */
export interface GnosticSchemaOrReference {
  readonly [field: string]: unknown
}
const Self: Schema<GnosticSchemaOrReference> = lazy<GnosticSchemaOrReference>(() => SchemaOrReference)
const NamedSchema = message('openapi.v3.NamedSchemaOrReference', { name: optional(1, string), value: optional(2, Self) })
const NamedSchemas = message('openapi.v3.Properties', { additionalProperties: omitempty(1, list(NamedSchema)) })

const SchemaMessage = message('openapi.v3.Schema', {
  required: omitempty(23, list(string)),
  enum: omitempty(24, list(Any)),
  type: optional(25, string),
  allOf: omitempty(26, list(Self)),
  oneOf: omitempty(27, list(Self)),
  items: optional(30, message('openapi.v3.ItemsItem', { schemaOrReference: omitempty(1, list(Self)) })),
  properties: optional(31, NamedSchemas),
  additionalProperties: optional(32, message('openapi.v3.AdditionalPropertiesItem', { schemaOrReference: optional(1, Self) })),
  default: optional(
    33,
    message('openapi.v3.DefaultType', { number: optional(1, number), boolean: optional(2, boolean), string: optional(3, string) }),
  ),
  description: optional(34, string),
  format: optional(35, string),
  specificationExtension: omitempty(36, list(NamedAny)),
})
const SchemaOrReference: Schema<GnosticSchemaOrReference> = message('openapi.v3.SchemaOrReference', {
  schema: optional(1, SchemaMessage),
  reference: optional(2, Reference),
})

const MediaTypes = message('openapi.v3.MediaTypes', {
  additionalProperties: omitempty(
    1,
    list(
      message('openapi.v3.NamedMediaType', {
        name: optional(1, string),
        value: optional(2, message('openapi.v3.MediaType', { schema: optional(1, SchemaOrReference) })),
      }),
    ),
  ),
})
const Parameter = message('openapi.v3.Parameter', {
  name: optional(1, string),
  in: optional(2, string),
  description: optional(3, string),
  required: optional(4, boolean),
  schema: optional(10, SchemaOrReference),
})
const Parameters = list(message('openapi.v3.ParameterOrReference', { parameter: optional(1, Parameter) }))
const RequestBody = message('openapi.v3.RequestBody', { content: optional(2, MediaTypes), required: optional(3, boolean) })
const Response = message('openapi.v3.Response', { description: optional(1, string), content: optional(3, MediaTypes) })
const Responses = message('openapi.v3.Responses', {
  responseOrReference: omitempty(
    2,
    list(
      message('openapi.v3.NamedResponseOrReference', {
        name: optional(1, string),
        value: optional(2, message('openapi.v3.ResponseOrReference', { response: optional(1, Response) })),
      }),
    ),
  ),
})
const Operation = message('openapi.v3.Operation', {
  tags: omitempty(1, list(string)),
  operationId: optional(5, string),
  parameters: omitempty(6, Parameters),
  requestBody: optional(7, message('openapi.v3.RequestBodyOrReference', { requestBody: optional(1, RequestBody) })),
  responses: optional(8, Responses),
  specificationExtension: omitempty(13, list(NamedAny)),
})
const PathItem = message('openapi.v3.PathItem', {
  get: optional(4, Operation),
  put: optional(5, Operation),
  post: optional(6, Operation),
  delete: optional(7, Operation),
  options: optional(8, Operation),
  head: optional(9, Operation),
  patch: optional(10, Operation),
  parameters: omitempty(13, Parameters),
})
const SecurityScheme = message('openapi.v3.SecurityScheme', {
  type: optional(1, string),
  description: optional(2, string),
  name: optional(3, string),
  in: optional(4, string),
})

/** The whole document. */
export const GnosticV3Document = message('openapi.v3.Document', {
  openapi: optional(1, string),
  info: optional(2, message('openapi.v3.Info', { title: optional(1, string), version: optional(6, string) })),
  paths: optional(
    4,
    message('openapi.v3.Paths', {
      path: omitempty(1, list(message('openapi.v3.NamedPathItem', { name: optional(1, string), value: optional(2, PathItem) }))),
    }),
  ),
  components: optional(
    5,
    message('openapi.v3.Components', {
      schemas: optional(1, NamedSchemas),
      securitySchemes: optional(
        7,
        message('openapi.v3.SecuritySchemesOrReferences', {
          additionalProperties: omitempty(
            1,
            list(
              message('openapi.v3.NamedSecuritySchemeOrReference', {
                name: optional(1, string),
                value: optional(2, message('openapi.v3.SecuritySchemeOrReference', { securityScheme: optional(1, SecurityScheme) })),
              }),
            ),
          ),
        }),
      ),
    }),
  ),
})
