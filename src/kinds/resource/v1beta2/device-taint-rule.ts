import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1123Label } from '#machinery/meta/names.ts'
import { message, omitempty, optional, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { timeOf } from '#machinery/time/time.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { conditions } from '../../meta/v1/conditions.ts'
import { validateImmutable, validateLabelName } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { DeviceTaintEffect } from '../v1/device-taint-effect.ts'
import { validateDriver } from '../v1/resource-claim-spec.rules.ts'

export const DeviceTaint = message('io.k8s.api.resource.v1beta2.DeviceTaint', {
  key: required(1, string, 'The name of the taint.'),
  value: omitempty(2, string, 'Its value.'),
  effect: required(3, DeviceTaintEffect, 'What it means for pods that do not tolerate it.'),
  timeAdded: optional(4, time, 'Since when it is there.'),
})
export interface DeviceTaint extends StoredOf<typeof DeviceTaint> {}

export const DeviceTaintSelector = message('io.k8s.api.resource.v1beta2.DeviceTaintSelector', {
  driver: optional(2, string, 'The driver.'),
  pool: optional(3, string, 'The pool.'),
  device: optional(4, string, 'The device.'),
})
export interface DeviceTaintSelector extends StoredOf<typeof DeviceTaintSelector> {}

export const DeviceTaintRuleSpec = message('io.k8s.api.resource.v1beta2.DeviceTaintRuleSpec', {
  deviceSelector: optional(1, DeviceTaintSelector, 'Which devices; empty: all of them, absent: none.'),
  taint: required(2, DeviceTaint, 'What they are tainted with.'),
})
export interface DeviceTaintRuleSpec extends StoredOf<typeof DeviceTaintRuleSpec> {}

export const DeviceTaintRuleStatus = message('io.k8s.api.resource.v1beta2.DeviceTaintRuleStatus', {
  conditions: omitempty(1, conditions, 'How far the eviction of pods is.'),
})
export interface DeviceTaintRuleStatus extends StoredOf<typeof DeviceTaintRuleStatus> {}

export interface DeviceTaintRule extends ObjectWith<{ spec: DeviceTaintRuleSpec; status: DeviceTaintRuleStatus }> {}

export const DeviceTaintRule = defineKind({
  documentation: 'Taints devices of others: what an administrator says where a driver does not.',
  group: 'resource.k8s.io',
  version: 'v1beta2',
  kind: 'DeviceTaintRule',
  plural: 'devicetaintrules',
  scope: 'Cluster',
  openapi: 'io.k8s.api.resource.v1beta2',
  deleteReturnsObject: true,
  generation: true,
  subresources: [statusSubresource],
  spec: DeviceTaintRuleSpec,
  status: DeviceTaintRuleStatus,
  columns: [nameColumn, ageColumn],
  prepareCreate(rule, { now }) {
    rule.status = {}
    rule.spec.taint.timeAdded ??= timeOf(now)
  },
  prepareUpdate(rule, old, { now, subresource }) {
    if (subresource === '' && rule.spec.taint.effect !== old.spec.taint.effect && rule.spec.taint.timeAdded === old.spec.taint.timeAdded)
      rule.spec.taint.timeAdded = timeOf(now)
    rule.spec.taint.timeAdded ??= old.spec.taint.timeAdded ?? timeOf(now)
  },
  validate({ spec: { deviceSelector = {}, taint } }, errors) {
    const at = errors.at('spec')
    const { driver, pool, device } = deviceSelector
    if (driver !== undefined) validateDriver(driver, at.at('deviceSelector').at('driver'))
    if (pool !== undefined && pool.length > 253) at.at('deviceSelector').at('pool').tooLong(253)
    if (pool === '') at.at('deviceSelector').at('pool').required()
    if (device !== undefined) at.at('deviceSelector').at('device').invalidEach(device, isDNS1123Label(device))
    if (taint.key === '') at.at('taint').at('key').required()
    else validateLabelName(taint.key, at.at('taint').at('key'))
    const effects = ['None', 'NoExecute', 'NoSchedule']
    if ((taint.effect as string) === '') at.at('taint').at('effect').required()
    else if (!effects.includes(taint.effect)) at.at('taint').at('effect').notSupported(taint.effect, effects)
  },
  validateUpdate({ spec }, old, errors, subresource) {
    if (subresource === '') validateImmutable(spec.deviceSelector, old.spec.deviceSelector, errors.at('spec').at('deviceSelector'))
  },
})
