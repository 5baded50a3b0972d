import { builtInKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'

/** Gates that decide over something else than fields. */
const OTHERS = ['AllAlpha', 'AllBeta', 'CoordinatedLeaderElection', 'HPAScaleToZero']

/** The gates of upstream's that change what the API server takes and does. */
export const API_SERVER_GATES: ReadonlySet<string> = new Set([
  ...OTHERS,
  ...[...builtInKinds, ...optionalKinds].flatMap(({ hooks }) => (hooks.gatedFields ?? []).map(({ gate }) => gate)),
])
