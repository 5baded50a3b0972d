import { describe, expect, it } from 'vitest'
import { haproxyConfig } from './haproxy-config.ts'

describe("HAProxy's configuration", () => {
  const config = haproxyConfig({
    servers: [
      { name: 's1', address: '10.0.0.1', port: 6443 },
      { name: 's 2;', address: 'fd00::2', port: 6443 },
    ],
    bind: ':6443',
    authorityFile: '/etc/haproxy/kubernetes-ca.crt',
  })

  it('has every server, asked for readiness over TLS that is verified', () => {
    expect(config).toContain('server s1 10.0.0.1:6443 check check-ssl verify required ca-file /etc/haproxy/kubernetes-ca.crt')
    expect(config).toContain('http-check send meth GET uri /readyz')
  })

  it('takes names and addresses of every form', () => {
    expect(config).toContain('server s_2_ [fd00::2]:6443 ')
  })

  it('ends connections to a server that is no longer ready', () => {
    expect(config).toContain('on-marked-down shutdown-sessions')
  })
})
