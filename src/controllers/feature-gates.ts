/** A gate of upstream's that decides over controllers: whether it is on in 1.36 when nothing is said, and how far it has come. */
interface Gate {
  readonly isOn: boolean
  readonly stage: 'alpha' | 'beta' | 'stable'
}

const GATES: Readonly<Record<string, Gate>> = {
  APIServerIdentity: { isOn: true, stage: 'beta' },
  StorageVersionAPI: { isOn: false, stage: 'alpha' },
  ClusterTrustBundle: { isOn: false, stage: 'beta' },
  PodCertificateRequest: { isOn: false, stage: 'beta' },
  DynamicResourceAllocation: { isOn: true, stage: 'stable' },
  DRADeviceTaints: { isOn: true, stage: 'beta' },
  DRADeviceTaintRules: { isOn: false, stage: 'beta' },
  DRAResourcePoolStatus: { isOn: false, stage: 'alpha' },
  GenericWorkload: { isOn: false, stage: 'alpha' },
  StorageVersionMigrator: { isOn: false, stage: 'beta' },
  SELinuxChangePolicy: { isOn: true, stage: 'stable' },
  MultiCIDRServiceAllocator: { isOn: true, stage: 'stable' },
  SeparateTaintEvictionController: { isOn: true, stage: 'stable' },
}

/** What `--feature-gates` says: names, and whether they are to be on. `AllAlpha` and `AllBeta` mean those of a stage that are not named. */
export type FeatureGates = Readonly<Record<string, boolean>>

/** Whether a gate is on. Throws for a name that decides over no controller: that is a mistake in the program. */
export function isGateOn(name: string, asked: FeatureGates): boolean {
  const gate = GATES[name]
  if (!gate) throw new Error(`no gate of the name ${name} decides over controllers`)
  const ofStage = gate.stage === 'alpha' ? asked['AllAlpha'] : gate.stage === 'beta' ? asked['AllBeta'] : undefined
  return asked[name] ?? ofStage ?? gate.isOn
}

/** Whether a gate decides over a controller; `AllAlpha` and `AllBeta` do. */
export function decidesOverControllers(name: string): boolean {
  return Object.hasOwn(GATES, name) || name === 'AllAlpha' || name === 'AllBeta'
}
