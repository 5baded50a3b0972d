import { cloudControllerManager } from './cloud-controller-manager.ts'
import type { FlagSections, Program } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { kubeControllerManager } from './kube-controller-manager.ts'
import { kubeProxy } from './kube-proxy.ts'
import { kubeScheduler } from './kube-scheduler.ts'
import { kubelet } from './kubelet.ts'

/** Upstream's programs, as `bin/` has them. */
export const PROGRAMS: readonly Program<FlagSections>[] = [
  kubeApiserver,
  kubeControllerManager,
  kubeScheduler,
  cloudControllerManager,
  kubelet,
  kubeProxy,
]
