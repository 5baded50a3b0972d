import { encodeMessage } from '../codec/protobuf/envelope.ts'
import type { JsonObject } from '../patch/json-object.ts'
import { anyOf, extensionsOf, METHODS, named } from './gnostic.ts'
import { GnosticDocument, type GnosticSchema } from './gnostic-types.ts'
import type { Document } from './type-document.ts'

/** The media type of {@link encodeOpenApiV2}. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** The document of version 2 as the protobuf that client-go asks for. */
export function encodeOpenApiV2(document: Document): Uint8Array {
  const { swagger, info, paths, definitions, security, securityDefinitions } = document
  return encodeMessage(GnosticDocument, {
    swagger,
    info,
    paths: { path: named(paths, pathItem) },
    definitions: { additionalProperties: named(definitions, schemaOf) },
    security: (security as readonly JsonObject[]).map(one => ({ additionalProperties: named(one, value => ({ value })) })),
    securityDefinitions: { additionalProperties: named(securityDefinitions, apiKey => ({ apiKey })) },
  })
}

function pathItem(value: unknown): JsonObject {
  const item = value as JsonObject
  const operations = METHODS.filter(method => Object.hasOwn(item, method)).map(method => [method, operationOf(item[method] as JsonObject)])
  return { ...Object.fromEntries(operations), parameters: parametersOf(item['parameters']) }
}

function operationOf(operation: JsonObject): JsonObject {
  const { tags, operationId, produces, consumes, parameters, responses, schemes } = operation
  return {
    tags,
    operationId,
    produces,
    consumes,
    schemes,
    parameters: parametersOf(parameters),
    responses: { responseCode: named(responses, responseOf) },
    vendorExtension: extensionsOf(operation),
  }
}

function responseOf(value: unknown): JsonObject {
  const { description, schema } = value as JsonObject
  return { response: { description, ...(schema === undefined ? {} : { schema: { schema: schemaOf(schema) } }) } }
}

function parametersOf(parameters: unknown): readonly JsonObject[] {
  return ((parameters ?? []) as readonly JsonObject[]).map(parameter => {
    const place = parameter['in'] as string
    if (place !== 'body') return { parameter: { nonBody: { [place]: parameter } } }
    return { parameter: { body: { ...parameter, schema: schemaOf(parameter['schema']) } } }
  })
}

function schemaOf(value: unknown): GnosticSchema {
  const schema = value as JsonObject
  const { $ref, format, description, required, type, items, properties, additionalProperties } = schema
  return {
    $ref,
    format,
    description,
    required,
    ...(schema['default'] === undefined ? {} : { default: anyOf(schema['default']) }),
    ...(Array.isArray(schema['enum']) ? { enum: schema['enum'].map(anyOf) } : {}),
    ...(type === undefined ? {} : { type: { value: [type] } }),
    ...(items === undefined ? {} : { items: { schema: [schemaOf(items)] } }),
    ...(properties === undefined ? {} : { properties: { additionalProperties: named(properties, schemaOf) } }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: { schema: schemaOf(additionalProperties) } }),
    vendorExtension: extensionsOf(schema),
  }
}
