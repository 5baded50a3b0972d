import type { ConnectSubresource } from './connect.ts'
import { locateContainer } from './pod-exec.ts'

/** `pods/attach`: the container's own process, joined with the client. */
export const podAttach: ConnectSubresource = {
  group: '',
  resource: 'pods',
  name: 'attach',
  manner: 'stream',
  alsoNeeds: () => 'create',
  locate: (core, call) => locateContainer(core, call, 'attach', []),
}
