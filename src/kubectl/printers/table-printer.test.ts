import { describe, expect, it } from 'vitest'
import { printTable, type TableOptions } from './table-printer.ts'

const table = {
  columnDefinitions: [
    { name: 'Name', priority: 0 },
    { name: 'Ready', priority: 0 },
    { name: 'Node', priority: 1 },
  ],
  rows: [
    { cells: ['web-1', '1/1', 'node-1'], object: { metadata: { namespace: 'default' } } },
    { cells: ['a-longer-name', null, 'first\nsecond'], object: { metadata: { namespace: 'kube-system' } } },
  ],
}
const print = (options: Partial<TableOptions> = {}) =>
  printTable(table, { isWide: false, withNamespace: false, prefix: '', withoutHeaders: false, ...options })

describe('a table', () => {
  it('has columns as wide as their widest cell', () => {
    expect(print()).toBe('NAME            READY\nweb-1           1/1\na-longer-name   <none>\n')
  })

  it('shows more when it is wide, and of a cell its first line', () => {
    expect(print({ isWide: true })).toBe(
      'NAME            READY    NODE\nweb-1           1/1      node-1\na-longer-name   <none>   first...\n',
    )
  })

  it('may have namespaces in front, kinds before names, and no header', () => {
    expect(print({ withNamespace: true, withoutHeaders: true, prefix: 'pod/' })).toBe(
      'default       pod/web-1           1/1\nkube-system   pod/a-longer-name   <none>\n',
    )
  })
})
