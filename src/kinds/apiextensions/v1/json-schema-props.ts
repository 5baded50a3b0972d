import {
  anyJson,
  boolean,
  type Field,
  int64,
  jsonOr,
  lazy,
  list,
  listMap,
  map,
  message,
  number,
  omitempty,
  optional,
  required,
  type Schema,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'

const openapi = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

export const ExternalDocumentation = message(`${openapi}.ExternalDocumentation`, {
  description: omitempty(1, string, 'What is to be found there.'),
  url: omitempty(2, string, 'Where the documentation is.'),
})
export interface ExternalDocumentation extends StoredOf<typeof ExternalDocumentation> {}

/** A rule in CEL that values must keep. */
export const ValidationRule = message(`${openapi}.ValidationRule`, {
  rule: required(1, string, 'The expression: true where `self` is valid.'),
  message: omitempty(2, string, 'What a user reads when the rule is broken.'),
  messageExpression: omitempty(3, string, 'An expression whose result is that message.'),
  reason: optional(
    4,
    string,
    'The reason in the answer: FieldValueInvalid, FieldValueForbidden, FieldValueRequired or FieldValueDuplicate.',
  ),
  fieldPath: omitempty(5, string, 'The field that is blamed, relative to where the rule stands.'),
  optionalOldSelf: optional(6, boolean, 'Whether the rule also runs on creation; `oldSelf` is optional then.'),
})
export interface ValidationRule extends StoredOf<typeof ValidationRule> {}

/** A schema in the form of OpenAPI v3. */
export interface JSONSchemaProps {
  readonly id?: string | undefined
  readonly $schema?: string | undefined
  readonly $ref?: string | undefined
  readonly description?: string | undefined
  readonly type?: string | undefined
  readonly format?: string | undefined
  readonly title?: string | undefined
  readonly default?: unknown
  readonly maximum?: number | undefined
  readonly exclusiveMaximum?: boolean | undefined
  readonly minimum?: number | undefined
  readonly exclusiveMinimum?: boolean | undefined
  readonly maxLength?: number | undefined
  readonly minLength?: number | undefined
  readonly pattern?: string | undefined
  readonly maxItems?: number | undefined
  readonly minItems?: number | undefined
  readonly uniqueItems?: boolean | undefined
  readonly multipleOf?: number | undefined
  readonly enum?: readonly unknown[] | undefined
  readonly maxProperties?: number | undefined
  readonly minProperties?: number | undefined
  readonly required?: readonly string[] | undefined
  /** One schema, or one for each position. */
  readonly items?: JSONSchemaProps | readonly JSONSchemaProps[] | undefined
  readonly allOf?: readonly JSONSchemaProps[] | undefined
  readonly oneOf?: readonly JSONSchemaProps[] | undefined
  readonly anyOf?: readonly JSONSchemaProps[] | undefined
  readonly not?: JSONSchemaProps | undefined
  readonly properties?: Readonly<Record<string, JSONSchemaProps>> | undefined
  readonly additionalProperties?: JSONSchemaProps | boolean | undefined
  readonly patternProperties?: Readonly<Record<string, JSONSchemaProps>> | undefined
  readonly dependencies?: Readonly<Record<string, JSONSchemaProps | readonly string[]>> | undefined
  readonly additionalItems?: JSONSchemaProps | boolean | undefined
  readonly definitions?: Readonly<Record<string, JSONSchemaProps>> | undefined
  readonly externalDocs?: ExternalDocumentation | undefined
  readonly example?: unknown
  readonly nullable?: boolean | undefined
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean | undefined
  readonly 'x-kubernetes-embedded-resource'?: boolean | undefined
  readonly 'x-kubernetes-int-or-string'?: boolean | undefined
  readonly 'x-kubernetes-list-map-keys'?: readonly string[] | undefined
  readonly 'x-kubernetes-list-type'?: string | undefined
  readonly 'x-kubernetes-map-type'?: string | undefined
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[] | undefined
}

const self: Schema<JSONSchemaProps> = lazy<JSONSchemaProps>(() => JSONSchemaProps)
/** A schema or a list of them, a schema or a boolean, a schema or names: JSON tells them apart, protobuf wraps each in a message. */
const schemaOrList = jsonOr<JSONSchemaProps | readonly JSONSchemaProps[]>(() => JSONSchemaProps)
const schemaOrBoolean = jsonOr<JSONSchemaProps | boolean>(() => JSONSchemaProps)
const schemaOrNames = jsonOr<JSONSchemaProps | readonly string[]>(() => JSONSchemaProps)

const fields = {
  id: omitempty(1, string),
  $schema: omitempty(2, string),
  $ref: optional(3, string),
  description: omitempty(4, string),
  type: omitempty(5, string),
  format: omitempty(6, string),
  title: omitempty(7, string),
  default: optional(8, anyJson),
  maximum: optional(9, number),
  exclusiveMaximum: omitempty(10, boolean),
  minimum: optional(11, number),
  exclusiveMinimum: omitempty(12, boolean),
  maxLength: optional(13, int64),
  minLength: optional(14, int64),
  pattern: omitempty(15, string),
  maxItems: optional(16, int64),
  minItems: optional(17, int64),
  uniqueItems: omitempty(18, boolean),
  multipleOf: optional(19, number),
  enum: omitempty(20, list(anyJson)),
  maxProperties: optional(21, int64),
  minProperties: optional(22, int64),
  required: omitempty(23, list(string)),
  items: optional(24, schemaOrList),
  allOf: omitempty(25, list(self)),
  oneOf: omitempty(26, list(self)),
  anyOf: omitempty(27, list(self)),
  not: optional(28, self),
  properties: omitempty(29, map(self)),
  additionalProperties: optional(30, schemaOrBoolean),
  patternProperties: omitempty(31, map(self)),
  dependencies: omitempty(32, map(schemaOrNames)),
  additionalItems: optional(33, schemaOrBoolean),
  definitions: omitempty(34, map(self)),
  externalDocs: optional(35, ExternalDocumentation),
  example: optional(36, anyJson),
  nullable: omitempty(37, boolean),
  'x-kubernetes-preserve-unknown-fields': optional(38, boolean),
  'x-kubernetes-embedded-resource': omitempty(39, boolean),
  'x-kubernetes-int-or-string': omitempty(40, boolean),
  'x-kubernetes-list-map-keys': omitempty(41, list(string)),
  'x-kubernetes-list-type': optional(42, string),
  'x-kubernetes-map-type': optional(43, string),
  'x-kubernetes-validations': omitempty(44, listMap(ValidationRule, ['rule'], { patchStrategy: 'merge', patchMergeKey: 'rule' })),
} satisfies Readonly<Record<keyof JSONSchemaProps, Field>>

export const JSONSchemaProps: Schema<JSONSchemaProps> = message(`${openapi}.JSONSchemaProps`, fields)
