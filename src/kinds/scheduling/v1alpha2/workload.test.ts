import { expect, it } from 'vitest'
import { textOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { stored, updateErrorsOf } from '../../stored.fixture.ts'
import { Workload } from './workload.ts'

const gang = { name: 'workers', schedulingPolicy: { gang: { minCount: 2 } } }
const workload = (spec: object) =>
  stored(Workload, { metadata: { name: 'w', namespace: 'ns' }, spec: { podGroupTemplates: [gang], ...spec } } as never)

function errorsOfNew(spec: object): string[] {
  const errors = new FieldErrors()
  Workload.hooks.validateCreate?.(workload(spec), errors)
  return errors.all.map(textOf)
}

it.each([
  [{ controllerRef: { apiGroup: 'batch', kind: 'Job', name: 'j' } }, []],
  [
    { controllerRef: { kind: '', name: 'a/b' } },
    ['spec.controllerRef.kind: Required value', 'spec.controllerRef.name: Invalid value: "a/b": may not contain \'/\''],
  ],
  [{ podGroupTemplates: [] }, ['spec.podGroupTemplates: Required value: must have at least one item']],
  [
    { podGroupTemplates: Array.from({ length: 9 }, (_, index) => ({ ...gang, name: `g${index}` })) },
    ['spec.podGroupTemplates: Too many: 9: must have at most 8 items'],
  ],
  [{ podGroupTemplates: [gang, gang] }, ['spec.podGroupTemplates[1]: Duplicate value: {"name":"workers"}']],
  [
    { podGroupTemplates: [{ name: '', schedulingPolicy: {} }] },
    [
      'spec.podGroupTemplates[0].name: Required value',
      'spec.podGroupTemplates[0].schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`',
    ],
  ],
  [
    { podGroupTemplates: [{ name: 'a', schedulingPolicy: { gang: { minCount: -1 } } }] },
    ['spec.podGroupTemplates[0].schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1'],
  ],
])('a workload with %j: %j', (spec, errors) => {
  expect(errorsOfNew(spec)).toEqual(errors)
})

it('the templates of a workload stay, and its controller once it is known', () => {
  const owner = (name: string) => ({ controllerRef: { kind: 'Job', name } })
  expect(updateErrorsOf(Workload, workload(owner('a')), workload({}))).toEqual([])
  const changed = updateErrorsOf(Workload, workload({ ...owner('b'), podGroupTemplates: [{ ...gang, name: 'x' }] }), workload(owner('a')))
  expect(changed.map(text => text.split(':')[0])).toEqual(['spec.controllerRef', 'spec.podGroupTemplates'])
})
