import { describe, expect, it } from 'vitest'
import { Environment } from './environment.ts'
import { jsonValue, typedJsonValue } from './json-values.ts'
import { BOOL, DYN, INT, listOf, objectType, STRING } from './types.ts'
import type { CelValue } from './values.ts'

const pod = {
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 3,
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y:2' },
    ],
  },
}
const dynamic = Environment.standard.extend({ variables: { object: DYN, name: STRING } })

function evaluate(expression: string, bindings: Record<string, CelValue> = { object: jsonValue(pod), name: 'web' }) {
  const compiled = dynamic.compile(expression)
  if (compiled.issues !== undefined) throw new Error(compiled.issues)
  const result = compiled.program.evaluate(bindings)
  return result.error === undefined ? result.value : `error: ${result.error}`
}

describe('evaluating', () => {
  it.each<[string, unknown]>([
    ['1 + 2 * 3', 7n],
    ['object.spec.replicas > 2', true],
    ['object.spec.containers.all(c, c.image.contains(":"))', true],
    ['object.spec.containers.map(c, c.name) == ["a", "b"]', true],
    ['object.spec.containers.exists_one(c, c.name == "a")', true],
    ['object.spec.containers.filter(c, c.name == "b")[0].image', 'y:2'],
    ['has(object.spec.missing) || object.metadata.name == name', true],
    ["object.metadata.labels['app']", 'web'],
    ["'app' in object.metadata.labels && !('x' in object.metadata.labels)", true],
    ['object.spec.missing == 1', 'error: no such key: missing'],
    ['object.spec.missing == 1 || true', true],
    ['size("hé😀")', 3n],
    ["'abc'.matches('^a.c$')", true],
    ['9223372036854775807 + 1', 'error: integer overflow'],
    ['1 / 0', 'error: division by zero'],
    ['[1, 2][2]', 'error: index out of bounds: 2'],
    ["timestamp('2024-01-02T03:04:05Z') + duration('1h') > timestamp('2024-01-02T04:04:04Z')", true],
    ['string(1.5e30)', '1.5e+30'],
  ])('%s is %s', (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected)
  })

  it('stops when the budget is used up, whatever the expression catches', () => {
    const compiled = dynamic.compile('[1,2,3,4,5,6,7,8].all(a, [1,2,3,4,5,6,7,8].all(b, [1,2,3,4,5,6,7,8].all(c, a + b + c > 0))) || true')
    if (compiled.issues !== undefined) throw new Error(compiled.issues)
    expect(compiled.program.evaluate({}, 1000)).toMatchObject({
      error: 'operation cancelled: actual cost limit exceeded',
      overBudget: true,
    })
  })
})

describe('checking', () => {
  const self = objectType('Self', { name: STRING, count: INT, tags: listOf(STRING, 10) })
  const typed = dynamic.extend({ variables: { self } })

  it.each([
    ['object.', "ERROR: <input>:1:8: Syntax error: no viable alternative at input '.'\n | object.\n | .......^"],
    ['nosuch.x', "ERROR: <input>:1:1: undeclared reference to 'nosuch' (in container '')\n | nosuch.x\n | ^"],
    ['self.nope > 1', "ERROR: <input>:1:5: undefined field 'nope'\n | self.nope > 1\n | ....^"],
    [
      'self.name == 5',
      "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(string, int)'\n | self.name == 5\n | ..........^",
    ],
    [
      'self +',
      "ERROR: <input>:1:7: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | self +\n | ......^",
    ],
  ])('%s is refused in cel-go’s words', (expression, issues) => {
    expect(typed.compile(expression).issues).toBe(issues)
  })

  it('says what type was wanted', () => {
    expect(typed.compile('1 + 1', { expects: [BOOL] }).issues).toBe('must evaluate to bool but got int')
  })

  it('reads JSON by the types of its schema', () => {
    const compiled = typed.compile('self.count * 2 == 6 && self.tags.all(t, t.startsWith("a")) && !has(self.name)')
    if (compiled.issues !== undefined) throw new Error(compiled.issues)
    expect(compiled.program.evaluate({ self: typedJsonValue({ count: 3, tags: ['a', 'ab'] }, self) }).value).toBe(true)
    expect(compiled.cost.max).toBeLessThan(100)
  })
})
