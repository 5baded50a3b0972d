/** What the proxy reads of a Service. */
export interface ServiceView {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>> | undefined
  }
  readonly spec: {
    readonly type?: string | undefined
    readonly clusterIP?: string | undefined
    readonly clusterIPs?: readonly string[] | undefined
    readonly externalIPs?: readonly string[] | undefined
    readonly ports?: readonly ServicePortView[] | undefined
    readonly sessionAffinity?: string | undefined
    readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number | undefined } | undefined } | undefined
    readonly internalTrafficPolicy?: string | undefined
    readonly externalTrafficPolicy?: string | undefined
    readonly healthCheckNodePort?: number | undefined
    readonly loadBalancerSourceRanges?: readonly string[] | undefined
  }
  readonly status?:
    | {
        readonly loadBalancer?:
          | { readonly ingress?: readonly { readonly ip?: string | undefined; readonly ipMode?: string | undefined }[] | undefined }
          | undefined
      }
    | undefined
}

export interface ServicePortView {
  readonly name?: string | undefined
  readonly protocol?: string | undefined
  readonly port: number
  readonly nodePort?: number | undefined
}

/** What the proxy reads of an EndpointSlice. */
export interface EndpointSliceView {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>> | undefined
  }
  readonly addressType: string
  readonly endpoints?: readonly EndpointView[] | undefined
  readonly ports?: readonly EndpointPortView[] | undefined
}

export interface EndpointView {
  readonly addresses: readonly string[]
  readonly nodeName?: string | undefined
  readonly conditions?:
    | { readonly ready?: boolean | undefined; readonly serving?: boolean | undefined; readonly terminating?: boolean | undefined }
    | undefined
  readonly hints?:
    | {
        readonly forZones?: readonly { readonly name: string }[] | undefined
        readonly forNodes?: readonly { readonly name: string }[] | undefined
      }
    | undefined
}

export interface EndpointPortView {
  readonly name?: string | undefined
  readonly protocol?: string | undefined
  readonly port?: number | undefined
}

/** What the proxy reads of its Node. */
export interface NodeView {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined }
}
