import { describe, expect, it } from 'vitest'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { sysctlRefusal } from './sysctls.ts'

const pod = (name: string, spec: object = {}) =>
  ({ metadata: {}, spec: { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } } }) as unknown as Pod

describe('kernel settings of pods', () => {
  it('are taken where they reach no further than the pod', () => {
    expect(sysctlRefusal(pod('net.ipv4.tcp_syncookies'))).toBeUndefined()
    expect(sysctlRefusal(pod('net/ipv4/tcp_syncookies'))).toBeUndefined()
    expect(sysctlRefusal({ spec: { securityContext: {} } } as Pod)).toBeUndefined()
  })

  it('are refused where they reach further, unless allowed by name or beginning', () => {
    expect(sysctlRefusal(pod('kernel.msgmax'))).toEqual({
      reason: 'SysctlForbidden',
      message: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
    })
    expect(sysctlRefusal(pod('kernel.msgmax'), ['kernel.msg*'])).toBeUndefined()
    expect(sysctlRefusal(pod('kernel.msgmax'), ['kernel.msgmni'])).toBeDefined()
  })

  it('are never those of the node', () => {
    expect(sysctlRefusal(pod('net.ipv4.tcp_syncookies', { hostNetwork: true }))?.message).toContain('not allowed with host net enabled')
    expect(sysctlRefusal(pod('kernel.shm_rmid_forced', { hostIPC: true }))?.message).toContain('not allowed with host ipc enabled')
  })
})
