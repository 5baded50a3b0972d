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
  id: omitempty(1, string, 'The id of the schema; not used.'),
  $schema: omitempty(2, string, 'The version of JSON Schema; not used.'),
  $ref: optional(3, string, 'Must not be set.'),
  description: omitempty(4, string, 'What the value is for, shown by `kubectl explain`.'),
  type: omitempty(5, string, 'The type: object, array, string, integer, number or boolean.'),
  format: omitempty(6, string, 'What a string or number looks like: date-time, int32, byte and so on. Unknown ones are ignored.'),
  title: omitempty(7, string, 'A title for the value.'),
  default: optional(8, anyJson, 'What the value is where none was given.'),
  maximum: optional(9, number, 'The greatest number allowed.'),
  exclusiveMaximum: omitempty(10, boolean, 'Whether the maximum itself is refused.'),
  minimum: optional(11, number, 'The least number allowed.'),
  exclusiveMinimum: omitempty(12, boolean, 'Whether the minimum itself is refused.'),
  maxLength: optional(13, int64, 'The longest text allowed, in characters.'),
  minLength: optional(14, int64, 'The shortest text allowed, in characters.'),
  pattern: omitempty(15, string, 'A regular expression that a text has to match.'),
  maxItems: optional(16, int64, 'The most elements of a list.'),
  minItems: optional(17, int64, 'The fewest elements of a list.'),
  uniqueItems: omitempty(18, boolean, 'Must not be true.'),
  multipleOf: optional(19, number, 'A number has to be a multiple of this.'),
  enum: omitempty(20, list(anyJson), 'The values that are allowed.'),
  maxProperties: optional(21, int64, 'The most keys of an object.'),
  minProperties: optional(22, int64, 'The fewest keys of an object.'),
  required: omitempty(23, list(string), 'Keys that an object has to have.'),
  items: optional(24, schemaOrList, 'What the elements of a list are like.'),
  allOf: omitempty(25, list(self), 'Schemas that all have to hold.'),
  oneOf: omitempty(26, list(self), 'Schemas of which exactly one has to hold.'),
  anyOf: omitempty(27, list(self), 'Schemas of which at least one has to hold.'),
  not: optional(28, self, 'A schema that must not hold.'),
  properties: omitempty(29, map(self), 'What the values of an object are like, by key.'),
  additionalProperties: optional(
    30,
    schemaOrBoolean,
    'What the values of keys are like that `properties` does not name, or whether there may be any.',
  ),
  patternProperties: omitempty(31, map(self), 'Must not be set.'),
  dependencies: omitempty(32, map(schemaOrNames), 'Must not be set.'),
  additionalItems: optional(33, schemaOrBoolean, 'Must not be set.'),
  definitions: omitempty(34, map(self), 'Must not be set.'),
  externalDocs: optional(35, ExternalDocumentation, 'Where more is written about it.'),
  example: optional(36, anyJson, 'An example of the value.'),
  nullable: omitempty(37, boolean, 'Whether null is allowed.'),
  'x-kubernetes-preserve-unknown-fields': optional(38, boolean, 'Whether keys that the schema does not name are kept.'),
  'x-kubernetes-embedded-resource': omitempty(39, boolean, 'Whether the value is an object with apiVersion, kind and metadata.'),
  'x-kubernetes-int-or-string': omitempty(40, boolean, 'Whether the value is a whole number or a text.'),
  'x-kubernetes-list-map-keys': omitempty(41, list(string), 'The keys that tell the elements of a `map` list apart.'),
  'x-kubernetes-list-type': optional(42, string, 'How a list is merged: `atomic`, `set` or `map`.'),
  'x-kubernetes-map-type': optional(43, string, 'How an object is merged: `granular` or `atomic`.'),
  'x-kubernetes-validations': omitempty(
    44,
    listMap(ValidationRule, ['rule'], { patchStrategy: 'merge', patchMergeKey: 'rule' }),
    'Rules in CEL that the value has to keep.',
  ),
} satisfies Readonly<Record<keyof JSONSchemaProps, Field>>

export const JSONSchemaProps: Schema<JSONSchemaProps> = message(`${openapi}.JSONSchemaProps`, fields)
