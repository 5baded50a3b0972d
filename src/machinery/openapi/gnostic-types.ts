import { boolean, lazy, list, message, omitempty, optional, type Schema, string } from '../schema/schema.ts'

/*
 * The protobuf messages of OpenAPI version 2, as clients read `application/com.github.proto-openapi.spec.v2.v1.0+protobuf` (openapi.v2 of
 * gnostic): what Kubernetes' documents use of them. Names are free; the numbers are the format.
 */

const Any = message('openapi.v2.Any', { yaml: optional(2, string) })
const NamedAny = message('openapi.v2.NamedAny', { name: optional(1, string), value: optional(2, Any) })
const extensions = (number: number) => omitempty(number, list(NamedAny))

/** A schema as the codec takes it: everything optional, extensions and properties as lists of names and values. */
export interface GnosticSchema {
  readonly [field: string]: unknown
}
const Self: Schema<GnosticSchema> = lazy<GnosticSchema>(() => GnosticSchema)
const NamedSchema = message('openapi.v2.NamedSchema', { name: optional(1, string), value: optional(2, Self) })
const NamedSchemas = message('openapi.v2.Properties', { additionalProperties: omitempty(1, list(NamedSchema)) })

export const GnosticSchema: Schema<GnosticSchema> = message('openapi.v2.Schema', {
  $ref: optional(1, string),
  format: optional(2, string),
  description: optional(4, string),
  default: optional(5, Any),
  required: omitempty(19, list(string)),
  enum: omitempty(20, list(Any)),
  additionalProperties: optional(21, message('openapi.v2.AdditionalPropertiesItem', { schema: optional(1, Self) })),
  type: optional(22, message('openapi.v2.TypeItem', { value: omitempty(1, list(string)) })),
  items: optional(23, message('openapi.v2.ItemsItem', { schema: omitempty(1, list(Self)) })),
  properties: optional(25, NamedSchemas),
  vendorExtension: extensions(31),
})

const parameterFields = {
  required: optional(1, boolean),
  in: optional(2, string),
  description: optional(3, string),
  name: optional(4, string),
}
const NonBodyParameter = message('openapi.v2.NonBodyParameter', {
  query: optional(
    3,
    message('openapi.v2.QueryParameterSubSchema', { ...parameterFields, type: optional(6, string), uniqueItems: optional(20, boolean) }),
  ),
  path: optional(
    4,
    message('openapi.v2.PathParameterSubSchema', { ...parameterFields, type: optional(5, string), uniqueItems: optional(19, boolean) }),
  ),
})
const BodyParameter = message('openapi.v2.BodyParameter', {
  name: optional(2, string),
  in: optional(3, string),
  required: optional(4, boolean),
  schema: optional(5, GnosticSchema),
})
const Parameter = message('openapi.v2.Parameter', { body: optional(1, BodyParameter), nonBody: optional(2, NonBodyParameter) })
const ParametersItem = message('openapi.v2.ParametersItem', { parameter: optional(1, Parameter) })

const Response = message('openapi.v2.Response', {
  description: optional(1, string),
  schema: optional(2, message('openapi.v2.SchemaItem', { schema: optional(1, GnosticSchema) })),
})
const Responses = message('openapi.v2.Responses', {
  responseCode: omitempty(
    1,
    list(
      message('openapi.v2.NamedResponseValue', {
        name: optional(1, string),
        value: optional(2, message('openapi.v2.ResponseValue', { response: optional(1, Response) })),
      }),
    ),
  ),
})
const Operation = message('openapi.v2.Operation', {
  tags: omitempty(1, list(string)),
  operationId: optional(5, string),
  produces: omitempty(6, list(string)),
  consumes: omitempty(7, list(string)),
  parameters: omitempty(8, list(ParametersItem)),
  responses: optional(9, Responses),
  schemes: omitempty(10, list(string)),
  vendorExtension: extensions(13),
})
const PathItem = message('openapi.v2.PathItem', {
  get: optional(2, Operation),
  put: optional(3, Operation),
  post: optional(4, Operation),
  delete: optional(5, Operation),
  options: optional(6, Operation),
  head: optional(7, Operation),
  patch: optional(8, Operation),
  parameters: omitempty(9, list(ParametersItem)),
})

const ApiKey = message('openapi.v2.ApiKeySecurity', {
  type: optional(1, string),
  name: optional(2, string),
  in: optional(3, string),
  description: optional(4, string),
})
const StringArray = message('openapi.v2.StringArray', { value: omitempty(1, list(string)) })

/** The whole document. */
export const GnosticDocument = message('openapi.v2.Document', {
  swagger: optional(1, string),
  info: optional(2, message('openapi.v2.Info', { title: optional(1, string), version: optional(2, string) })),
  paths: optional(
    8,
    message('openapi.v2.Paths', {
      path: omitempty(2, list(message('openapi.v2.NamedPathItem', { name: optional(1, string), value: optional(2, PathItem) }))),
    }),
  ),
  definitions: optional(9, NamedSchemas),
  security: omitempty(
    12,
    list(
      message('openapi.v2.SecurityRequirement', {
        additionalProperties: omitempty(
          1,
          list(message('openapi.v2.NamedStringArray', { name: optional(1, string), value: optional(2, StringArray) })),
        ),
      }),
    ),
  ),
  securityDefinitions: optional(
    13,
    message('openapi.v2.SecurityDefinitions', {
      additionalProperties: omitempty(
        1,
        list(
          message('openapi.v2.NamedSecurityDefinitionsItem', {
            name: optional(1, string),
            value: optional(2, message('openapi.v2.SecurityDefinitionsItem', { apiKey: optional(2, ApiKey) })),
          }),
        ),
      ),
    }),
  ),
})
