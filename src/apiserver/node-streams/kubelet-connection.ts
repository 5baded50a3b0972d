/** How the server proves itself to kubelets, and whom it believes to be one. PEM. */
export interface KubeletConnection {
  readonly certificate?: string
  readonly privateKey?: string
  /** Signs the kubelets' serving certificates; absent: any certificate is taken. */
  readonly authority?: string
  /** Types of a node's addresses, best first. */
  readonly preferredAddressTypes?: readonly string[]
  /** How long a connection to a kubelet may take to stand; default: 30 seconds. */
  readonly dialMs?: number
}
