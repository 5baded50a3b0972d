import type { ConnectSubresource } from './connect.ts'
import { nodeProxy } from './node-proxy.ts'
import { podAttach } from './pod-attach.ts'
import { podExec } from './pod-exec.ts'
import { podLog } from './pod-log.ts'
import { podPortForward } from './pod-port-forward.ts'
import { podProxy } from './pod-proxy.ts'
import { serviceProxy } from './service-proxy.ts'

/** Every subresource that leads out of the server. */
export const connectSubresources: readonly ConnectSubresource[] = [
  podLog,
  podExec,
  podAttach,
  podPortForward,
  podProxy,
  serviceProxy,
  nodeProxy,
]
