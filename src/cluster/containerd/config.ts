import type { NodeHost, NodeLayout } from '../layout/layout.ts'

/** What of the machine decides how containerd must be set. */
export interface RuntimeTraits {
  /** Without CAP_SYS_RESOURCE a negative oom_score_adj must not be asked of runc: it fails. */
  readonly mayLowerOomScore: boolean
  readonly appArmor: boolean
  /** `native` where the data directory's disk cannot carry an overlay. */
  readonly snapshotter: 'overlayfs' | 'native'
  readonly cniPlugins: string
}

/** The image of the container that holds a pod's namespaces. */
export const PAUSE_IMAGE = 'typernetes.local/pause:1'

/** containerd's config.toml for one node. The kubelet's cgroup driver must be cgroupfs. */
export function containerdConfig(layout: NodeHost, node: NodeLayout, traits: RuntimeTraits): string {
  const text = JSON.stringify // TOML's basic strings are JSON's for every path and name used here
  const unused = [
    'io.containerd.internal.v1.opt',
    ...['btrfs', 'zfs', 'aufs', 'devmapper'].map(name => `io.containerd.snapshotter.v1.${name}`),
  ]
  return `version = 2
root = ${text(node.containerd.root)}
state = ${text(node.containerd.state)}
disabled_plugins = ${text(unused)}

[grpc]
  address = ${text(node.containerd.socket)}

[debug]
  level = "warn"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  restrict_oom_score_adj = ${!traits.mayLowerOomScore}
  disable_apparmor = ${!traits.appArmor}
  stream_server_address = ${text(node.address)}
  stream_server_port = "0"
  max_concurrent_downloads = 5

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(traits.cniPlugins)}
    conf_dir = ${text(node.cniDir)}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = ${text(traits.snapshotter)}
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = ${text(node.containerd.runcRoot)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(`${layout.registriesDir}:/etc/containerd/certs.d`)}
`
}

/** The CNI network of one node's pods: a bridge in the node's namespace, addresses from the node's pod CIDR, no NAT. */
export function cniConfig(layout: NodeHost, node: NodeLayout): string {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ipam: { type: 'host-local', dataDir: `${node.dir}/ipam`, ranges: [[{ subnet: node.podCidr }]], routes: [{ dst: '0.0.0.0/0' }] },
  }
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, snat: true }
  return `${JSON.stringify({ cniVersion: '1.0.0', name: `${layout.bridge}-${node.number}`, plugins: [bridge, portmap] }, null, 2)}\n`
}
