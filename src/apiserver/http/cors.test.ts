import { describe, expect, it } from 'vitest'
import { crossOrigin, originProblem } from './cors.ts'
import type { Exchange, ResponseHeaders } from './exchange.ts'

function asked(method: string, origin?: string) {
  const answers: [number, ResponseHeaders][] = []
  const exchange = {
    method,
    headers: origin === undefined ? {} : { origin },
    answer: (status: number, headers: ResponseHeaders) => void answers.push([status, headers]),
  } as unknown as Exchange
  const served = crossOrigin(['^https://([a-z]+[.])?example[.]com$', '//localhost(:|$)']).serve(exchange)
  return { exchange, served, answers }
}

describe('a script of another origin', () => {
  it('that may call is answered, and its browser told that it may read the answer', () => {
    const { exchange, served, answers } = asked('GET', 'https://a.example.com')
    expect(served).not.toBe(exchange)
    served!.answer(200, { 'content-type': 'text/plain' })
    expect(answers).toEqual([
      [
        200,
        expect.objectContaining({
          'content-type': 'text/plain',
          'access-control-allow-origin': 'https://a.example.com',
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': 'Date',
        }),
      ],
    ])
  })

  it('is told before it calls which methods and headers it may use, and nobody else is asked', () => {
    const { served, answers } = asked('OPTIONS', 'http://localhost:8080')
    expect(served).toBeUndefined()
    expect(answers).toMatchObject([[204, { 'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH' }]])
  })

  it.each(['https://example.com.evil.org', 'https://evil.org', undefined])('%s is served as if nothing was asked', origin => {
    for (const method of ['GET', 'OPTIONS']) {
      const { exchange, served, answers } = asked(method, origin)
      expect(served).toBe(exchange)
      expect(answers).toEqual([])
    }
  })
})

describe('a pattern of origins', () => {
  it.each(['^https://example[.]com$', '//example[.]com(:|$)', '//localhost:', '//a$'])(
    '%s says where the host begins and ends',
    pattern => {
      expect(originProblem(pattern)).toBeUndefined()
    },
  )

  it.each([
    ['(', 'has an invalid regular expression'],
    ['example.com$', 'does not pin to start of host'],
    ['//example.com', 'does not pin to end of host'],
  ])('%s %s', (pattern, problem) => {
    expect(originProblem(pattern)).toContain(problem)
  })
})
