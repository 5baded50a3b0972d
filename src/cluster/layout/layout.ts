import { join } from 'node:path'
import type { ClusterAllocation, NodeAllocation } from './allocation.ts'

/** A cluster's allocation together with every path it uses. All names of files and kernel objects are decided here. */
export interface ClusterLayout extends Omit<ClusterAllocation, 'nodes'> {
  readonly dataDir: string
  /** Sockets and what else does not outlive a boot; short, because a socket's path has at most 107 bytes. */
  readonly runDir: string
  /** The process that runs the control plane: first line is its number. */
  readonly pidFile: string
  readonly logFile: string
  readonly storeDir: string
  readonly certificatesDir: string
  /** The EncryptionConfiguration, with the key of the cluster's Secrets. */
  readonly encryptionFile: string
  readonly manifestsDir: string
  readonly imagesDir: string
  /** `<registry>/hosts.toml` as containerd reads it at every pull; for all nodes. */
  readonly registriesDir: string
  readonly kubeconfig: string
  /** nftables table of the root network namespace: what leaves the cluster is masqueraded there. */
  readonly hostTable: string
  readonly nodes: readonly NodeLayout[]
}

/** What the nodes of a cluster on one machine share: also for a machine that is a node itself. */
export type NodeHost = Pick<ClusterLayout, 'bridge' | 'registriesDir' | 'imagesDir' | 'runDir'>

export interface NodeLayout extends NodeAllocation {
  /** Network namespace; also the name of its link on the bridge. '' where the node is the machine itself. */
  readonly netns: string
  readonly netnsPath: string
  readonly link: string
  /** Root of the node's cgroups, from the top of each hierarchy: `/t8s-default-1`. */
  readonly cgroupRoot: string
  readonly dir: string
  readonly kubeletDir: string
  readonly podLogsDir: string
  readonly manifestsDir: string
  readonly cniDir: string
  readonly containerd: {
    readonly config: string
    readonly root: string
    readonly state: string
    readonly socket: string
    readonly pidFile: string
    readonly logFile: string
    readonly runcRoot: string
  }
}

/** The layout of a cluster in `dataDir`. `runRoot` is /run/typernetes but in tests. */
export function layoutOf(allocation: ClusterAllocation, dataDir: string, runRoot = '/run/typernetes'): ClusterLayout {
  const runDir = join(runRoot, allocation.id)
  return {
    ...allocation,
    dataDir,
    runDir,
    pidFile: join(dataDir, 't8s.pid'),
    logFile: join(dataDir, 't8s.log'),
    storeDir: join(dataDir, 'store'),
    certificatesDir: join(dataDir, 'certificates'),
    encryptionFile: join(dataDir, 'encryption.yaml'),
    manifestsDir: join(dataDir, 'manifests'),
    imagesDir: join(dataDir, 'images'),
    registriesDir: join(dataDir, 'registries'),
    kubeconfig: join(dataDir, 'kubeconfig'),
    hostTable: `t8s-${allocation.id}`,
    nodes: allocation.nodes.map(node => nodeLayout(allocation, node, dataDir, runDir)),
  }
}

/** A node of a cluster in network namespaces; `cluster.id` names what it has of the kernel. */
export function nodeLayout(cluster: { readonly id: string }, node: NodeAllocation, dataDir: string, runDir: string): NodeLayout {
  const unique = `t8s-${cluster.id}-${node.number}`
  const dir = join(dataDir, 'nodes', node.name)
  const run = join(runDir, String(node.number))
  return {
    ...node,
    netns: unique,
    netnsPath: `/run/netns/${unique}`,
    link: unique,
    cgroupRoot: `/${unique}`,
    dir,
    kubeletDir: join(dir, 'kubelet'),
    podLogsDir: join(dir, 'pod-logs'),
    manifestsDir: join(dir, 'manifests'),
    cniDir: join(dir, 'cni'),
    containerd: {
      config: join(dir, 'containerd.toml'),
      root: join(dir, 'containerd'),
      state: join(run, 'containerd'),
      socket: join(run, 'containerd.sock'),
      pidFile: join(run, 'containerd.pid'),
      logFile: join(dir, 'containerd.log'),
      runcRoot: join(run, 'runc'),
    },
  }
}
