import { describe, expect, it } from 'vitest'
import { controllers, disabledByDefault, isEnabled, readControllerNames } from './controllers.ts'

describe('the list of controllers', () => {
  it('has the names that other programs ask for', () => {
    const names = controllers.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const asked =
      'namespace-controller serviceaccount-controller serviceaccount-token-controller root-ca-certificate-publisher-controller garbage-collector-controller ' +
      'resourcequota-controller clusterrole-aggregation-controller certificatesigningrequest-signing-controller certificatesigningrequest-approving-controller ' +
      'persistentvolumeclaim-protection-controller persistentvolume-protection-controller volumeattributesclass-protection-controller validatingadmissionpolicy-status-controller'
    expect(names).toEqual(expect.arrayContaining(asked.split(' ')))
  })

  it('takes older names, and refuses names that no controller has', () => {
    expect(readControllerNames(['*', 'bootstrapsigner', '-csrcleaner', 'job-controller'])).toEqual([
      '*',
      'bootstrap-signer-controller',
      '-certificatesigningrequest-cleaner-controller',
      'job-controller',
    ])
    expect(() => readControllerNames(['jobs'])).toThrow('"jobs" is not in the list of known controllers')
  })

  it('holds off the same as upstream when nothing is said', () => {
    expect([...disabledByDefault].sort()).toEqual(['bootstrap-signer-controller', 'selinux-warning-controller', 'token-cleaner-controller'])
  })

  it('is chosen from as --controllers says', () => {
    expect(isEnabled('job-controller', ['*'])).toBe(true)
    expect(isEnabled('job-controller', ['*', '-job-controller'])).toBe(false)
    expect(isEnabled('job-controller', ['namespace-controller'])).toBe(false)
    expect(isEnabled('token-cleaner-controller', ['*'])).toBe(false)
    expect(isEnabled('token-cleaner-controller', ['*', 'token-cleaner-controller'])).toBe(true)
  })
})
