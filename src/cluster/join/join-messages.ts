import type { SharedSecrets } from '../certificates/shared-secrets.ts'

/** Where the joiner finds the cluster's authority, before it says anything. */
export const AUTHORITY_PATH = '/cacerts'
/** Where agents and servers ask to be let in. */
export const JOIN_PATHS = { agent: '/join/agent', server: '/join/server' } as const

/** What all machines of a cluster have to know of it. */
export interface ClusterFacts {
  readonly name: string
  readonly podCidr: string
  readonly serviceCidr: string
  readonly nodePortRange: string
  /** ClusterIP of cluster DNS. */
  readonly dnsAddress: string
}

/** What a token proves. */
export interface TokenProof {
  readonly id: string
  readonly secret: string
}

/** A machine asks to become a node. Keys stay with it: it sends certificate requests (PKCS #10, PEM). */
export interface AgentRequest {
  /** Absent: the machine is a node already, says so by its certificate, and wants new certificates. */
  readonly token?: TokenProof | undefined
  readonly nodeName: string
  /** The node's own secret: whoever asks for certificates of this name again must know it. */
  readonly nodePassword: string
  readonly requests: { readonly kubelet: string; readonly serving: string; readonly proxy: string }
}

export interface AgentAnswer {
  readonly cluster: ClusterFacts
  /** PEM, for the requests of the same names. */
  readonly certificates: { readonly kubelet: string; readonly serving: string; readonly proxy: string }
  /** `https://host:port` of the servers there are. */
  readonly servers: readonly string[]
}

/** A machine asks to become a server. */
export interface ServerRequest {
  readonly token: TokenProof
  readonly serverName: string
}

export interface ServerAnswer {
  readonly cluster: ClusterFacts
  readonly secrets: SharedSecrets
  /** Client URLs of etcd's members. */
  readonly etcd: readonly string[]
}
