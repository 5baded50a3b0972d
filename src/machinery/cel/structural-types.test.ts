import { describe, expect, it } from 'vitest'
import { typedJsonValue } from '#base/languages/cel/json-values.ts'
import { BOOL } from '#base/languages/cel/types.ts'
import type { JsonSchema } from '../structural/json-schema.ts'
import { kubernetesEnvironment } from './kubernetes-environment.ts'
import { typeOfStructuralSchema } from './structural-types.ts'

const schema: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['replicas'],
      properties: {
        replicas: { type: 'integer' },
        namespace: { type: 'string', maxLength: 10 },
        'a.b-c': { type: 'string' },
        at: { type: 'string', format: 'date-time' },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', maxItems: 5, items: { type: 'string', maxLength: 5 } },
        ports: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
        },
        any: { 'x-kubernetes-int-or-string': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
}
const self = typeOfStructuralSchema(schema, true)!
const environment = kubernetesEnvironment().extend({ variables: { self, oldSelf: self } })

function evaluate(rule: string, object: object, old: object = object): unknown {
  const compiled = environment.compile(rule, { expects: [BOOL] })
  if (compiled.issues !== undefined) return compiled.issues
  const result = compiled.program.evaluate({ self: typedJsonValue(object, self), oldSelf: typedJsonValue(old, self) })
  return result.error ?? result.value
}

describe('types out of structural schemas', () => {
  const object = {
    metadata: { name: 'x' },
    spec: { replicas: 3, namespace: 'n', 'a.b-c': 'v', at: '2024-01-01T00:00:00Z', tags: ['a', 'b'], any: 5, labels: { x: 'y' } },
  }

  it.each([
    ['self.spec.replicas * 2 == 6 && self.metadata.name.startsWith("x")', true],
    ['self.spec.__namespace__ == "n" && self.spec.a__dot__b__dash__c == "v"', true],
    ["self.spec.at < timestamp('2024-01-02T00:00:00Z')", true],
    ['type(self.spec.any) == int && self.spec.labels.all(k, k.size() == 1)', true],
    ['has(self.spec.ports)', false],
    ['self.spec.ports.size() == 0', 'no such key: ports'],
    ['self.spec == oldSelf.spec', true],
  ])('%s', (rule, expected) => {
    expect(evaluate(rule, object)).toEqual(expected)
  })

  it('compares sets and maps of a list whatever their order', () => {
    const ports = [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ]
    const left = { spec: { tags: ['a', 'b'], ports } }
    const right = { spec: { tags: ['b', 'a'], ports: [...ports].reverse() } }
    expect(evaluate('self.spec.tags == oldSelf.spec.tags && self.spec.ports == oldSelf.spec.ports', left, right)).toBe(true)
    expect(evaluate('self.spec.ports == oldSelf.spec.ports', left, { spec: { ports: [ports[0]!, { name: 'b', port: 3 }] } })).toBe(false)
  })

  it('adds sets and maps of a list as sets and maps: an element once, of a map the added one', () => {
    const left = { spec: { tags: ['a', 'b'], ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2 }] } } // biome-ignore format: short
    const right = { spec: { tags: ['c', 'b'], ports: [{ name: 'b', port: 3 }] } }
    expect(evaluate("self.spec.tags + oldSelf.spec.tags == ['a', 'b', 'c']", left, right)).toBe(true)
    expect(evaluate('(self.spec.ports + oldSelf.spec.ports).map(p, p.port) == [1, 3]', left, right)).toBe(true)
  })

  it('refuses fields and types that the schema does not know', () => {
    expect(evaluate('self.spec.nope', object)).toContain("undefined field 'nope'")
    expect(evaluate('self.spec.replicas == "3"', object)).toContain('found no matching overload')
  })

  it('estimates by the limits of the schema, and by what fits in a request where there are none', () => {
    const costOf = (rule: string) => {
      const compiled = environment.compile(rule)
      if (compiled.issues !== undefined) throw new Error(compiled.issues)
      return compiled.cost.max
    }
    expect(costOf('self.spec.tags.all(t, t.startsWith("a"))')).toBeLessThan(100)
    expect(costOf('self.spec.labels.all(k, self.spec.labels[k].contains(k))')).toBeGreaterThan(10_000_000)
  })
})
