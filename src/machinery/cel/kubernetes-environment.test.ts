import { describe, expect, it } from 'vitest'
import { jsonValue } from '#base/languages/cel/json-values.ts'
import { BOOL, DYN } from '#base/languages/cel/types.ts'
import { kubernetesEnvironment } from './kubernetes-environment.ts'
import { AUTHORIZER_TYPE, authorizerValue } from './library/authorizer.ts'

const environment = kubernetesEnvironment().extend({ variables: { object: DYN, authorizer: AUTHORIZER_TYPE } })

function evaluate(expression: string): unknown {
  const compiled = environment.compile(expression)
  if (compiled.issues !== undefined) return compiled.issues
  const authorizer = authorizerValue(question => ({ allowed: question.verb === 'get', reason: JSON.stringify(question) }))
  const result = compiled.program.evaluate({ object: jsonValue({ a: ['x', 'y'] }), authorizer })
  return result.error ?? result.value
}

describe('the libraries of Kubernetes', () => {
  it.each([
    ['[1, 2, 3].isSorted() && ![2, 1].isSorted()', true],
    ['[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0', true],
    ["['b', 'a'].min() == 'a' && [3, 7].max() == 7", true],
    ['[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2', true],
    ['[1].filter(x, x > 1).min() == 0', 'min called on empty list'],
    ["'abc 123'.find('[0-9]+')", '123'],
    ["'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']", true],
    ["url('https://example.com:80/a b?k=1&k=2').getEscapedPath()", '/a%20b'],
    ["url('https://[::1]:8080/').getHostname()", '::1'],
    ["url('https://e.com/?k=1&k=2').getQuery()['k'] == ['1', '2']", true],
    ["isURL('https://e.com') && isURL('https://e.com/') && isURL('/path') && !isURL('../relative')", true],
    ["ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && isIP('2001:db8::1') && !isIP('10.0.0.256')", true],
    ["ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')", true],
    ["string(ip('2001:0db8:0000::0001'))", '2001:db8::1'],
    ["cidr('192.168.0.0/24').containsIP('192.168.0.9') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.0'))", true],
    ["cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && string(cidr('10.1.2.3/8').masked()) == '10.0.0.0/8'", true],
    ["quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('50k').add(20).compareTo(quantity('50020')) == 0", true],
    ["quantity('200M') == quantity('0.2G') && quantity('1').asInteger() == 1 && !isQuantity('x')", true],
    ["semver('1.2.3').isLessThan(semver('1.10.0')) && semver('v01.2', true).minor() == 2 && !isSemver('v1.0')", true],
    [
      "format.dns1123Label().validate('my-name').hasValue() == false && format.named('uuid').value().validate('x').value().size() == 1",
      true,
    ],
    ["authorizer.group('').resource('pods').check('get').allowed() && !authorizer.path('/x').check('post').allowed()", true],
    ["sets.contains([1, 2], [2]) && 'a-b'.split('-') == ['a', 'b'] && '%s=%d'.format([dyn('n'), 3]) == 'n=3'", true],
    ["object.?a[0].orValue('') == 'x' && object.?b.orValue([]) == []", true],
    ['[1, 2].all(i, v, v == i + 1) && {"k": 1}.transformList(k, v, k) == ["k"]', true],
  ])('%s', (expression, expected) => {
    expect(evaluate(expression)).toEqual(expected)
  })

  it('refuses literals that no call could take', () => {
    expect(environment.compile("duration('x') > duration('1s')").issues).toContain('invalid duration argument')
    expect(environment.compile("'a'.matches('(')").issues).toContain('invalid matches argument')
  })

  it('lets two checks of access fit into the budget, and not three', () => {
    const check = "authorizer.path('/x').check('get').allowed()"
    const compile = (times: number) => environment.compile(Array(times).fill(check).join(' && '), { expects: [BOOL] })
    const [two, three] = [compile(2), compile(3)]
    const authorizer = authorizerValue(() => ({ allowed: true, reason: '' }))
    expect(two.issues === undefined && two.program.evaluate({ authorizer }, 1_000_000).value).toBe(true)
    expect(three.issues === undefined && three.program.evaluate({ authorizer }, 1_000_000).error).toBe(
      'operation cancelled: actual cost limit exceeded',
    )
  })
})

describe('hardening', () => {
  it.each([
    ['deep nesting', `${'('.repeat(10_000)}1${')'.repeat(10_000)}`],
    ['long chains', Array(5000).fill('1').join(' + ')],
    ['deep selections', `object${'.a'.repeat(5000)}`],
    ['deep lists', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ])('refuses %s with a message', (_, expression) => {
    expect(environment.compile(expression).issues).toMatch(/recursion/)
  })

  it('refuses an expression of more than 100,000 characters', () => {
    expect(environment.compile(`'${'x'.repeat(100_001)}' == ''`).issues).toContain('expression code point size exceeds limit')
  })

  it('takes long chains of logical operators, which make no deep tree', () => {
    expect(environment.compile(Array(2000).fill('true').join(' && ')).issues).toBeUndefined()
  })

  it('matches exploding patterns in linear time', () => {
    expect(evaluate(`'${'a'.repeat(5000)}!'.matches('^(a+)+$')`)).toBe(false)
  })

  it('sees no prototype behind an object', () => {
    expect(evaluate("has(object.__proto__) || 'constructor' in object || has(object.toString)")).toBe(false)
    const compiled = environment.compile('object.__proto__.x')
    const object = jsonValue(JSON.parse('{"__proto__": {"x": 1}}'))
    expect(compiled.issues === undefined && compiled.program.evaluate({ object }).value).toBe(1n)
  })
})
