import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/* The page that says which test answers to which description of Kubernetes' conformance tests names only tests that there are. */

const folder = join(import.meta.dirname, '../docs/reference')
const rows = readFileSync(join(folder, 'conformance.md'), 'utf8')
  .split('\n')
  .filter(line => /^\| (?!it should|-)/.test(line))

describe('docs/reference/conformance.md', () => {
  it('names a test for every description, and each of them exists', () => {
    expect(rows.length).toBeGreaterThan(80)
    const missing: string[] = []
    for (const row of rows) {
      const named = [...row.matchAll(/\[[^\]]+\]\(([^)]+)\) ([^;|]+)/g)]
      if (named.length === 0) missing.push(`${row}: no test`)
      for (const [, file = '', title = ''] of named) {
        if (!readFileSync(join(folder, file), 'utf8').includes(title.trim())) missing.push(`${file}: ${title.trim()}`)
      }
    }
    expect(missing).toEqual([])
  })
})
