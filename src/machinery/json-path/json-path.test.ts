import { describe, expect, it } from 'vitest'
import { jsonPath } from './json-path.ts'

const object = {
  spec: {
    'a.b': 1,
    list: [
      { n: 'p', v: 1 },
      { n: 'q', v: 2 },
    ],
    on: true,
  },
  metadata: { labels: { 'x/y': 'z' } },
}

describe('a path', () => {
  it.each<[string, unknown[]]>([
    ['.spec.on', [true]],
    ['.spec.nothing.below', []],
    ["['spec']['a.b']", [1]],
    ['.spec.a\\.b', [1]],
    ['.metadata.labels.x/y', ['z']],
    ['.spec.list[*].n', ['p', 'q']],
    ['.spec.list[0].n', ['p']],
    ['.spec.list[-1].n', ['q']],
    ['.spec.list[0:1].n', ['p']],
    ['.spec.list[0,1].v', [1, 2]],
    [".spec.list[?(@.n=='q')].v", [2]],
    ['.spec.list[?(@.v>1)].n', ['q']],
    ['.spec.list[?(@.none)].n', []],
    ['..n', ['p', 'q']],
  ])('%s', (path, found) => {
    expect(jsonPath(path)(object)).toEqual(found)
  })

  it.each(['.spec.list[', '.spec.list[x]', '.a b'])('%s cannot be read', path => {
    expect(() => jsonPath(path)).toThrow()
  })
})
