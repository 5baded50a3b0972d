import { describe, expect, it } from 'vitest'
import { CronJob } from '#kinds/batch/v1/cron-job.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { privilegedContainers } from './privileged-containers.ts'

const check = (kind: AnyKind, spec: object) =>
  privilegedContainers.validate!({
    operation: 'CREATE',
    kind,
    subresource: '',
    namespace: 'default',
    name: 'a',
    object: { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: 'a' }, spec } as never,
    old: undefined,
    user: { name: 'ann', groups: [] },
    dryRun: false,
    warn() {},
  })
const pod = (privileged: boolean) => ({ containers: [{ name: 'x' }, { name: 'y', securityContext: { privileged } }] })

describe('without --allow-privileged', () => {
  it('privileged containers are refused, and others are not', () => {
    expect(() => check(Pod, pod(true))).toThrow(
      'Pod "a" is invalid: spec.containers[1].securityContext.privileged: Forbidden: disallowed by cluster policy',
    )
    expect(check(Pod, pod(false))).toBeUndefined()
    expect(check(Service, { ports: [] })).toBeUndefined()
  })

  it('so are templates of them', () => {
    const cronJob = {
      jobTemplate: { spec: { template: { spec: { ...pod(false), initContainers: [{ securityContext: { privileged: true } }] } } } },
    }
    expect(() => check(CronJob, cronJob)).toThrow(
      'spec.jobTemplate.spec.template.spec.initContainers[0].securityContext.privileged: Forbidden',
    )
  })
})
