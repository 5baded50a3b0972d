import { describe, expect, it } from 'vitest'
import { type WebhookUser, webhookUserFor } from './webhook-users.ts'

const user = (name: string): WebhookUser => ({ authorization: () => name })
const users = (...names: string[]) => new Map(names.map(name => [name, user(name)]))

describe('who the server is to a webhook', () => {
  const known = users('a.ns.svc:8443', 'b.ns.svc', '*.ns.svc', '*.svc:9443', '*.example.com', 'hooks.example.com:443')
  it.each([
    ['a.ns.svc:8443', 'a.ns.svc:8443'],
    ['b.ns.svc:443', 'b.ns.svc'],
    ['c.ns.svc:443', '*.ns.svc'],
    ['c.ns.svc:9443', '*.svc:9443'],
    ['c.ns.svc:8443', undefined],
    ['hooks.example.com:443', 'hooks.example.com:443'],
    ['a.b.example.com:443', '*.example.com'],
    ['example.com:443', undefined],
  ])('%s: %s', (target, name) => {
    expect(webhookUserFor({ users: known, fallback: undefined }, target)?.authorization?.()).toBe(name)
  })

  it('is the default one where none has its name, and else the one of the current context', () => {
    const fallback = user('current')
    expect(webhookUserFor({ users: users('*'), fallback }, 'x.org:443')?.authorization?.()).toBe('*')
    expect(webhookUserFor({ users: users('y.org'), fallback }, 'x.org:443')?.authorization?.()).toBe('current')
  })
})
