import type { Decl, Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import { Type_PrimitiveType, Type_WellKnownType } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js'
import { getConformanceSuite, getParsingSuite, type IncrementalTest, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { describe, expect, it } from 'vitest'
import { EXCEPTIONS } from './conformance-exceptions.fixture.ts'
import { declareFunction, type FunctionDeclaration, globalOverload, memberOverload } from './declarations.ts'
import { Environment } from './environment.ts'
import { equal } from './equality.ts'
import { EvaluationError } from './evaluation-error.ts'
import { BINDINGS_LIBRARY } from './library/bindings.ts'
import { TWO_VARIABLE_COMPREHENSIONS } from './library/comprehensions.ts'
import { ENCODERS_LIBRARY } from './library/encoders.ts'
import { LISTS_LIBRARY } from './library/lists.ts'
import { MATH_LIBRARY } from './library/math.ts'
import { OPTIONAL_LIBRARY } from './library/optional.ts'
import { stringsLibrary } from './library/strings.ts'
import { ProtobufTypes } from './protobuf.fixture.ts'
import {
  ANY, BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, formatType, INT, listOf, mapOf, NULL, opaque, optionalOf, STRING, TIMESTAMP,
  typeOf, typeParam, UINT, wrapperOf,
} from './types.ts' // biome-ignore format: one list
import {
  ArrayList, CelDuration, CelList, CelMap, CelObject, CelOptional, CelTimestamp, CelTypeValue, CelUint, type CelValue, EntryMap, typeNameOf,
} from './values.ts' // biome-ignore format: one list

const protobuf = new ProtobufTypes(getTestRegistry())
const environment = Environment.standard.extend({
  libraries: [
    OPTIONAL_LIBRARY, BINDINGS_LIBRARY, TWO_VARIABLE_COMPREHENSIONS, ENCODERS_LIBRARY, MATH_LIBRARY, LISTS_LIBRARY, stringsLibrary('plain'),
  ],
  types: protobuf.types(),
  constants: protobuf.constants(),
  mixedLiterals: true,
  quotedNames: true,
}) // biome-ignore format: one list

function run({ original }: IncrementalTest): unknown {
  const variables: Record<string, CelType> = {}
  const functions: FunctionDeclaration[] = []
  for (const declaration of original.typeEnv) declare(declaration, variables, functions)
  for (const name of Object.keys(original.bindings)) variables[name] ??= DYN
  const scoped = environment.extend({
    variables,
    libraries: [{ functions }],
    container: original.container,
    dynamic: original.disableCheck,
  })
  const compiled = scoped.compile(original.expr)
  if (compiled.issues !== undefined) return `error: ${compiled.issues}`
  if (original.checkOnly) return compiled.type
  const bindings: Record<string, CelValue> = {}
  for (const [name, bound] of Object.entries(original.bindings)) {
    if (bound.kind.case === 'value') bindings[name] = celValueOf(bound.kind.value)
  }
  const result = compiled.program.evaluate(bindings)
  if (result.error !== undefined) return `error: ${result.error}`
  return { value: result.value, type: compiled.type }
}

function declare(declaration: Decl, variables: Record<string, CelType>, functions: FunctionDeclaration[]): void {
  const { declKind } = declaration
  if (declKind.case === 'ident') variables[declaration.name] = typeFrom(declKind.value.type!)
  if (declKind.case !== 'function') return
  const overloads = declKind.value.overloads.map(overload => {
    const make = overload.isInstanceFunction ? memberOverload : globalOverload
    return make(overload.overloadId, overload.params.map(typeFrom), typeFrom(overload.resultType!), () => {
      throw new EvaluationError('unbound function')
    })
  })
  functions.push(declareFunction(declaration.name, ...overloads))
}

function typeFrom(type: Type): CelType {
  const { typeKind } = type
  switch (typeKind.case) {
    case 'primitive':
      return primitive(typeKind.value)
    case 'wrapper':
      return wrapperOf(primitive(typeKind.value))
    case 'wellKnown':
      return typeKind.value === Type_WellKnownType.ANY ? ANY : typeKind.value === Type_WellKnownType.TIMESTAMP ? TIMESTAMP : DURATION
    case 'listType':
      return listOf(typeFrom(typeKind.value.elemType!))
    case 'mapType':
      return mapOf(typeFrom(typeKind.value.keyType!), typeFrom(typeKind.value.valueType!))
    case 'messageType': {
      const desc = protobuf.registry.getMessage(typeKind.value)
      return desc === undefined ? opaque(typeKind.value) : protobuf.messageType(desc)
    }
    case 'type':
      return typeOf(typeFrom(typeKind.value))
    case 'typeParam':
      return typeParam(typeKind.value)
    case 'null':
      return NULL
    case 'abstractType': {
      const parameters = typeKind.value.parameterTypes.map(typeFrom)
      return typeKind.value.name === 'optional_type' ? optionalOf(parameters[0]!) : opaque(typeKind.value.name, ...parameters)
    }
    default:
      return DYN
  }
}

function primitive(type: Type_PrimitiveType): CelType {
  switch (type) {
    case Type_PrimitiveType.BOOL:
      return BOOL
    case Type_PrimitiveType.INT64:
      return INT
    case Type_PrimitiveType.UINT64:
      return UINT
    case Type_PrimitiveType.DOUBLE:
      return DOUBLE
    case Type_PrimitiveType.BYTES:
      return BYTES
    default:
      return STRING
  }
}

function celValueOf(value: Value): CelValue {
  const { kind } = value
  switch (kind.case) {
    case 'uint64Value':
      return new CelUint(kind.value)
    case 'int64Value':
    case 'boolValue':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value
    case 'enumValue':
      return BigInt(kind.value.value)
    case 'objectValue':
      return protobuf.fromAny(kind.value)
    case 'mapValue':
      return new EntryMap(kind.value.entries.map(entry => [celValueOf(entry.key!), celValueOf(entry.value!)]))
    case 'listValue':
      return new ArrayList(kind.value.values.map(celValueOf))
    case 'typeValue':
      return new CelTypeValue(kind.value)
    default:
      return null
  }
}

/** A value in a form that two runs share, types included. */
function shown(value: CelValue): unknown {
  if (value instanceof CelUint) return { uint: value.value }
  if (value instanceof CelList) return [...value].map(shown)
  if (value instanceof CelMap) {
    const entries = [...value.keys()].map(key => [shown(key), shown(value.get(key)!)] as const)
    return { map: new Map(entries.map(([key, entry]) => [typeof key === 'object' ? JSON.stringify(key, (_, v) => (typeof v === 'bigint' ? `${v}n` : v)) : key, entry])) } // biome-ignore format: one thought
  }
  if (value instanceof CelTimestamp) return { timestamp: value.nanoseconds }
  if (value instanceof CelDuration) return { duration: value.nanoseconds }
  if (value instanceof CelTypeValue) return { type: value.name }
  if (value instanceof CelOptional) return { optional: value.value === undefined ? undefined : shown(value.value) }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (typeof value === 'number' && value === 0) return 0
  return value
}

function check(test: IncrementalTest): void {
  const { resultMatcher } = test.original
  const result = run(test)
  switch (resultMatcher.case) {
    case 'evalError':
    case 'anyEvalErrors':
      expect(result).toMatch(/^error: /)
      return
    case 'typedResult': {
      const expected = formatType(typeFrom(resultMatcher.value.deducedType!))
      if (test.original.checkOnly) {
        expect(typeof result === 'string' ? result : formatType(result as CelType)).toBe(expected)
        return
      }
      const { value, type } = expectValue(result)
      expect(formatType(type)).toBe(expected)
      if (resultMatcher.value.result !== undefined) expectEqual(value, celValueOf(resultMatcher.value.result))
      return
    }
    case 'value':
      expectEqual(expectValue(result).value, celValueOf(resultMatcher.value))
      return
    default:
      expectEqual(expectValue(result).value, true)
  }
}

function expectValue(result: unknown): { value: CelValue; type: CelType } {
  if (typeof result === 'string') throw new Error(result)
  return result as { value: CelValue; type: CelType }
}

function expectEqual(actual: CelValue, expected: CelValue): void {
  expect(typeNameOf(actual)).toBe(typeNameOf(expected))
  if (expected instanceof CelObject) expect(expected.equals(actual as CelObject, equal)).toBe(true)
  else expect(shown(actual)).toEqual(shown(expected))
}

function* casesOf(suite: IncrementalTestSuite, path = ''): Generator<{ name: string; test: IncrementalTest }> {
  for (const test of suite.tests) yield { name: `${path}${test.name}`, test }
  for (const inner of suite.suites) yield* casesOf(inner, `${path}${inner.name}/`)
}

describe('the conformance suite of CEL', () => {
  for (const suite of getConformanceSuite().suites) {
    const cases = [...casesOf(suite, `${suite.name}/`)]
    it(`passes ${suite.name}`, () => {
      const failed: string[] = []
      const passedUnexpectedly: string[] = []
      for (const { name, test } of cases) {
        const excepted = EXCEPTIONS.some(exception => exception.cases.test(name))
        try {
          check(test)
          if (excepted) passedUnexpectedly.push(name)
        } catch (error) {
          if (!excepted)
            failed.push(`${name}: ${test.original.expr}\n    ${(error as Error).message.split('\n').slice(0, 6).join('\n    ')}`)
        }
      }
      expect(failed.join('\n')).toBe('')
      expect(passedUnexpectedly).toEqual([])
    })
  }
})

describe('refusals', () => {
  /** cel-go was run with other limits, and without optional values. */
  const otherwise = /limit exceeded|max recursion depth|unsupported syntax '/
  /** Where ANTLR goes on after a mistake and we do not, or has a macro that cel-go's environments lack. */
  const elsewhere = ['in.😁', 'func{{a}}', '[].existsOne(']
  const plain = Environment.standard.extend({ mixedLiterals: true })
  const refused = [...casesOf(getParsingSuite())]
    .filter(({ test }) => test.error !== undefined && !otherwise.test(test.error))
    .filter(({ test }) => !elsewhere.some(text => test.original.expr.includes(text)))

  it('are worded as cel-go words them', () => {
    const failed = refused.flatMap(({ test: { original, error } }) => {
      const issues = plain.compile(original.expr).issues ?? 'compiles'
      return issues === error!.replaceAll('ERROR: :', 'ERROR: <input>:') ? [] : [`${original.expr}\n${error}\nnot\n${issues}`]
    })
    expect(failed.join('\n\n')).toBe('')
    expect(refused.length).toBeGreaterThan(60)
  })
})
