import { encodeMessage } from '../codec/protobuf/envelope.ts'
import { isJsonObject, type JsonObject } from '../patch/json-object.ts'
import { anyOf, extensionsOf, METHODS, named } from './gnostic.ts'
import { type GnosticSchemaOrReference, GnosticV3Document } from './gnostic-v3-types.ts'
import type { Document } from './type-document.ts'

/** The media type of {@link encodeOpenApiV3}. */
export const OPENAPI_V3_PROTOBUF = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'

/** A document of version 3 as protobuf. */
export function encodeOpenApiV3(document: Document): Uint8Array {
  const { openapi, info, paths, components } = document
  const { schemas, securitySchemes } = components as JsonObject
  return encodeMessage(GnosticV3Document, {
    openapi,
    info,
    paths: { path: named(paths, pathItem) },
    components: {
      schemas: { additionalProperties: named(schemas, schemaOf) },
      securitySchemes: { additionalProperties: named(securitySchemes, securityScheme => ({ securityScheme })) },
    },
  })
}

function pathItem(value: unknown): JsonObject {
  const item = value as JsonObject
  const operations = METHODS.filter(method => Object.hasOwn(item, method)).map(method => [method, operationOf(item[method] as JsonObject)])
  return { ...Object.fromEntries(operations), parameters: parametersOf(item['parameters']) }
}

function operationOf(operation: JsonObject): JsonObject {
  const { tags, operationId, parameters, requestBody, responses } = operation
  return {
    tags,
    operationId,
    parameters: parametersOf(parameters),
    ...(isJsonObject(requestBody) ? { requestBody: { requestBody: { ...requestBody, content: contentOf(requestBody['content']) } } } : {}),
    responses: { responseOrReference: named(responses, responseOf) },
    specificationExtension: extensionsOf(operation),
  }
}

function responseOf(value: unknown): JsonObject {
  const { description, content } = value as JsonObject
  return { response: { description, ...(content === undefined ? {} : { content: contentOf(content) }) } }
}

function contentOf(content: unknown): JsonObject {
  return { additionalProperties: named(content, value => ({ schema: schemaOf((value as JsonObject)['schema']) })) }
}

function parametersOf(parameters: unknown): readonly JsonObject[] {
  return ((parameters ?? []) as readonly JsonObject[]).map(parameter => ({
    parameter: { ...parameter, schema: schemaOf(parameter['schema']) },
  }))
}

function schemaOf(value: unknown): GnosticSchemaOrReference {
  const schema = value as JsonObject
  const { $ref, description, format, required, type, allOf, oneOf, items, properties, additionalProperties } = schema
  if ($ref !== undefined) return { reference: { $ref } }
  return {
    schema: {
      description,
      format,
      required,
      type,
      ...defaultOf(schema['default']),
      ...(Array.isArray(schema['enum']) ? { enum: schema['enum'].map(anyOf) } : {}),
      ...(Array.isArray(allOf) ? { allOf: allOf.map(schemaOf) } : {}),
      ...(Array.isArray(oneOf) ? { oneOf: oneOf.map(schemaOf) } : {}),
      ...(items === undefined ? {} : { items: { schemaOrReference: [schemaOf(items)] } }),
      ...(properties === undefined ? {} : { properties: { additionalProperties: named(properties, schemaOf) } }),
      ...(additionalProperties === undefined ? {} : { additionalProperties: { schemaOrReference: schemaOf(additionalProperties) } }),
      specificationExtension: extensionsOf(schema),
    },
  }
}

/** Only scalars can be said here: the default of an object is left out, as upstream leaves it out. */
function defaultOf(value: unknown): JsonObject {
  const type = typeof value
  return type === 'number' || type === 'boolean' || type === 'string' ? { default: { [type]: value } } : {}
}
