import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFieldSelector } from './field-selector.ts'
import { LabelSelector } from './label-selector.ts'
import { parseLabelSelector } from './parse-label-selector.ts'

describe('parseLabelSelector', () => {
  it.each([
    ['', ''],
    ['a=b', 'a=b'],
    ['b==c,a', 'a,b==c'],
    ['!a', '!a'],
    ['x in (foo,,baz),y,z notin ()', 'x in (,baz,foo),y,z notin ()'],
    ['a=', 'a='],
    ['in in (in,notin)', 'in in (in,notin)'],
    ['n>5,m<7', 'm<7,n>5'],
    [' a = b ', 'a=b'],
    ['a!=b', 'a!=b'],
    ['a in (,)', 'a in ()'],
    ['ex.com/a=b', 'ex.com/a=b'],
  ])('reads %j as %j', (text, canonical) => expect(parseLabelSelector(text).toString()).toBe(canonical))

  it.each([
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['a in (b c)', "unable to parse requirement: found 'c', expected: ',' or ')'"],
    ['a,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['n>a', `unable to parse requirement: values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer`],
    ['n>', `unable to parse requirement: values[0]: Invalid value: "": for 'Gt', 'Lt' operators, the value must be an integer`],
    ['a/b/c=d', 'unable to parse requirement: <nil>: Invalid value: "a/b/c": a valid label key must consist of'],
    ['a=b!', "found '!', expected: ',' or 'end of string'"],
    ['a=-b', 'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be an empty string'],
  ])('refuses %j as upstream does', (text, message) => expect(() => parseLabelSelector(text)).toThrow(message))

  it('never hangs or crashes, whatever it is given', () => {
    const piece = fc.constantFrom('a', 'b', 'in', 'notin', '(', ')', ',', '=', '!', '>', '<', ' ', '-', '/', '\0', 'é')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        try {
          const selector = parseLabelSelector(pieces.join(''))
          expect(parseLabelSelector(selector.toString()).toString()).toBe(selector.toString())
        } catch (error) {
          expect((error as Error).name).toBe('SelectorError')
        }
      }),
    )
  })
})

describe('LabelSelector', () => {
  it.each([
    ['a=1', { a: '1' }, true],
    ['a=1', { a: '2' }, false],
    ['a=1', {}, false],
    ['a!=1', {}, true],
    ['a notin (1,2)', { a: '3' }, true],
    ['a notin (1,2)', { a: '2' }, false],
    ['a', { a: '' }, true],
    ['!a', { a: '' }, false],
    ['constructor', {}, false],
    ['a>5', { a: '6' }, true],
    ['a>5', { a: 'x' }, false],
    ['a<9223372036854775807', { a: '9223372036854775806' }, true],
    ['a=1,b', { a: '1' }, false],
  ])('%j selects %j: %s', (text, labels, selected) => expect(parseLabelSelector(text).matches(labels)).toBe(selected))

  it('selects nothing when absent and everything when empty', () => {
    expect(LabelSelector.ofObject(undefined).matches({})).toBe(false)
    expect(LabelSelector.ofObject({}).matches({ a: 'b' })).toBe(true)
  })

  it('is made from an object', () => {
    const selector = LabelSelector.ofObject({
      matchLabels: { b: '1' },
      matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x', 'y'] }],
    })
    expect(selector.toString()).toBe('a notin (x,y),b=1')
    expect(selector.exactValueOf('b')).toBe('1')
    expect(() => LabelSelector.ofObject({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow(
      '"Like" is not a valid label selector operator',
    )
  })
})

describe('parseFieldSelector', () => {
  it('reads terms and escapes', () => {
    const selector = parseFieldSelector('metadata.name=a,spec.x!=b\\,c,')
    expect(selector.requirements).toEqual([
      { field: 'metadata.name', operator: '=', value: 'a' },
      { field: 'spec.x', operator: '!=', value: 'b,c' },
    ])
    expect(selector.toString()).toBe('metadata.name=a,spec.x!=b\\,c')
    expect(selector.exactValueOf('metadata.name')).toBe('a')
    expect(selector.firstUnknown(['metadata.name'])).toBe('spec.x')
    expect(selector.matches(field => (field === 'metadata.name' ? 'a' : ''))).toBe(true)
  })

  it.each([
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
  ])('refuses %j', (text, message) => expect(() => parseFieldSelector(text)).toThrow(message))
})
