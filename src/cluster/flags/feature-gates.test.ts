import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { API_SERVER_GATES } from '#apiserver/feature-gates.ts'
import { controllers } from '#controllers/controllers.ts'
import { decidesOverControllers } from '#controllers/feature-gates.ts'
import { FEATURE_GATES } from '#machinery/feature-gates/feature-gates.ts'
import { featureGates } from './feature-gates.ts'

describe('--feature-gates', () => {
  const flag = featureGates(name => API_SERVER_GATES.has(name))
  it('reads names of 1.36, of the component kube where it is said', () => {
    expect(flag.read('kube:GenericWorkload=true,AllBeta=false', undefined)).toEqual({ GenericWorkload: true, AllBeta: false })
    expect(flag.read('EnvFiles=false', { AllBeta: false })).toEqual({ AllBeta: false, EnvFiles: false })
  })

  it('refuses what is no gate, and what is locked', () => {
    expect(() => flag.read('Nonsense=true', undefined)).toThrow('unrecognized feature gate: Nonsense')
    expect(() => flag.read('SidecarContainers=false', undefined)).toThrow(
      'cannot set feature gate SidecarContainers to false, feature is locked to true',
    )
    expect(flag.read('SidecarContainers=true', undefined)).toEqual({ SidecarContainers: true })
  })

  it('warns of gates that change nothing, unless they are asked for as they are', () => {
    expect(flag.agreesWith?.({ GenericWorkload: true })).toBe(true)
    expect(flag.agreesWith?.({ KubeletInUserNamespace: true })).toBe(false)
    expect(flag.agreesWith?.({ KubeletInUserNamespace: false })).toBe(true)
  })
})

describe('the gates that decide over something here', () => {
  it('are gates of upstream', () => {
    const acting = [...API_SERVER_GATES, ...controllers.flatMap(({ featureGates: names = [] }) => names)]
    expect(acting.filter(name => !FEATURE_GATES.has(name))).toEqual([])
  })

  it('of controllers are told', () => {
    expect(controllers.flatMap(({ featureGates: names = [] }) => names).filter(name => !decidesOverControllers(name))).toEqual([])
  })
})

it('docs/reference/feature-gates.md tells of every gate of the API server, and whether it is on', () => {
  const page = readFileSync(fileURLToPath(new URL('../../../docs/reference/feature-gates.md', import.meta.url)), 'utf8')
  const told = [...page.matchAll(/^\| `(\w+)` +\| (on|off) +\|/gm)].map(([, name, isOn]) => `${name} ${isOn}`)
  const acting = [...API_SERVER_GATES].filter(name => !name.startsWith('All'))
  expect(told.sort()).toEqual(acting.map(name => `${name} ${FEATURE_GATES.get(name)?.isOn ? 'on' : 'off'}`).sort())
})
