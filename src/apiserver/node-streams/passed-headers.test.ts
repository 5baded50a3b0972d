import { describe, expect, it } from 'vitest'
import { answerHeaders, requestHeaders } from './passed-headers.ts'

const connection = { remoteAddress: '10.0.0.9', certificate: undefined, memory: new Map(), trust() {} }

describe('headers that are passed on', () => {
  it('are those of the request, not of the connection, and nothing that proves the client to this server', () => {
    const headers = {
      ':path': '/x',
      authorization: 'Bearer secret',
      'impersonate-user': 'admin',
      connection: 'keep-alive, X-Hop',
      'x-hop': '1',
      'transfer-encoding': 'chunked',
      host: 'server',
      accept: 'text/html',
      cookie: ['a=1', 'b=2'],
    }
    expect(requestHeaders({ headers, connection })).toEqual({ accept: 'text/html', cookie: ['a=1', 'b=2'], 'x-forwarded-for': '10.0.0.9' })
  })

  it('do not tell the token that a browser names among its protocols', () => {
    const headers = { 'sec-websocket-protocol': 'v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0' }
    expect(requestHeaders({ headers, connection })['sec-websocket-protocol']).toBe('v4.channel.k8s.io')
  })

  it('name every proxy on the way', () => {
    expect(requestHeaders({ headers: { 'x-forwarded-for': '1.2.3.4' }, connection })['x-forwarded-for']).toBe('1.2.3.4, 10.0.0.9')
  })

  it('of an answer say nothing for this server', () => {
    const headers = { 'audit-id': 'x', 'access-control-allow-origin': '*', connection: 'close', 'content-type': 'text/plain' }
    expect(answerHeaders(headers)).toEqual({ 'content-type': 'text/plain' })
  })
})
