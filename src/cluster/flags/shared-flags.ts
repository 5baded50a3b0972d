import { checkCipherSuite } from './cipher-suites.ts'
import { featureGates } from './feature-gates.ts'
import { boolean, checked, duration, type Flag, integer, ip, list, oneOf, pairs, port, refused, repeated, text, unapplied } from './flag.ts'
import { namedCertificateFiles } from './named-certificate.ts'

/* Flags that several of upstream's programs have, by the package of upstream that adds them. */

/** `--v`, `--logging-format` and the like. */
export const logFlags = {
  v: { ...integer('How much is logged: 4 adds what developers ask for.', 2), letter: 'v', type: 'Level' } satisfies Flag<number>,
  vmodule: unapplied(text('How much is logged of single files (pattern=N,…).')),
  'logging-format': oneOf(['text', 'json'], 'Lines of text, or one JSON object per line.', 'text'),
  'log-flush-frequency': unapplied(duration('How long lines may be held back.', '5s'), 'lines are written at once'),
  'log-json-info-buffer-size': unapplied(text('How much JSON is held back.', '0'), 'lines are written at once'),
  'log-json-split-stream': unapplied(boolean('Errors in JSON to stderr, the rest to stdout.'), 'all lines go to stderr'),
  'log-text-info-buffer-size': unapplied(text('How much text is held back.', '0'), 'lines are written at once'),
  'log-text-split-stream': unapplied(boolean('Errors to stderr, the rest to stdout.'), 'all lines go to stderr'),
} as const

export const featureGateFlags = {
  'feature-gates': featureGates(),
  'emulated-version': unapplied(list('The version to behave as, as component=major.minor.'), 'the behaviour is always that of 1.36'),
  'min-compatibility-version': unapplied(list('The oldest version to go along with, as component=major.minor.')),
} as const

export const metricsFlags = {
  'allow-metric-labels': unapplied(pairs('The values that labels of metrics may have.')),
  'allow-metric-labels-manifest': unapplied(text('A file with the values that labels of metrics may have.')),
  'disabled-metrics': unapplied(list('Metrics not to be kept.')),
  'show-hidden-metrics-for-version': unapplied(text('The version whose hidden metrics are shown.')),
} as const

/** `--tls-cipher-suites`. */
export function cipherSuites(): Flag<readonly string[]> {
  const names = list('The cipher suites to offer, by their IANA names; those of TLS 1.3 always are. Default: those of Node.js.')
  return checked(names, suites => suites.forEach(checkCipherSuite))
}

/** HTTPS of a component; `port` is its default. */
export function secureServingFlags(defaults: { readonly port: number; readonly directory?: string }) {
  return {
    'bind-address': ip('The address to listen at; 0.0.0.0 or :: for all.', '0.0.0.0'),
    'secure-port': port('The port of HTTPS; 0 for none.', defaults.port),
    'cert-dir': text('Where a certificate of its own is kept if none is given.', defaults.directory ?? ''),
    'tls-cert-file': text('The certificate to show, with intermediate ones behind it.'),
    'tls-private-key-file': text('The key of --tls-cert-file.'),
    'tls-cipher-suites': cipherSuites(),
    'tls-min-version': oneOf(
      ['VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13'],
      'The oldest version of TLS to accept.',
      'VersionTLS12',
    ),
    'tls-curve-preferences': unapplied(list('The curves to prefer.'), 'the curves are those of Node.js'),
    'tls-sni-cert-key': checked(
      repeated('A certificate and key for names of their own: certificate,key[:name,…]. May be given more than once.', 'namedCertKey'),
      values => values.forEach(namedCertificateFiles),
    ),
    'http2-max-streams-per-connection': unapplied(
      integer('How many requests one connection may carry at once; 0 for the default.'),
      'a connection of the API server carries 250 requests, one of other components one after the other',
    ),
    'permit-port-sharing': unapplied(boolean('Lets several processes listen on the port.'), 'Node.js listens alone'),
    'permit-address-sharing': unapplied(boolean('Listens although an address is being let go of.')),
    'disable-http2-serving': unapplied(
      boolean('Serves HTTP/1.1 only.'),
      'clients choose; components other than the API server serve HTTP/1.1',
    ),
  } as const
}

/** Components that ask the API server who a caller is. */
export const delegatedAuthenticationFlags = {
  'authentication-kubeconfig': text('Who may ask the API server about tokens. Default: --kubeconfig.'),
  'authentication-skip-lookup': boolean(
    'Does not read the authority of client certificates from the cluster where --client-ca-file names none.',
  ),
  'authentication-tolerate-lookup-failure': boolean('Goes on if it cannot be read.', true),
  'authentication-token-webhook-cache-ttl': duration('How long an answer about a token counts.', '10s'),
  'client-ca-file': text('Who is signed by one of these authorities is known by the name in the certificate.'),
  ...withoutEffect(requestHeaderFlags(), 'only the API server believes proxies in front of it'),
} as const

/** Components that ask the API server what a caller may. */
export const delegatedAuthorizationFlags = {
  'authorization-kubeconfig': text('Who may ask the API server about permissions. Default: --kubeconfig.'),
  'authorization-always-allow-paths': list('Paths that anyone may read.', ['/healthz', '/readyz', '/livez']),
  'authorization-webhook-cache-authorized-ttl': duration('How long a yes counts.', '10s'),
  'authorization-webhook-cache-unauthorized-ttl': duration('How long a no counts.', '10s'),
} as const

function withoutEffect<F extends Readonly<Record<string, Flag>>>(flags: F, because: string): F {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, unapplied(flag, because)])) as unknown as F
}

/** The headers by which a proxy in front says who asks. */
export function requestHeaderFlags() {
  return {
    'requestheader-allowed-names': list('Names of proxies whose headers are believed; none: all that are signed.'),
    'requestheader-client-ca-file': text('The authority that signs those proxies.'),
    'requestheader-extra-headers-prefix': list('Beginnings of headers with further facts.', ['x-remote-extra-']),
    'requestheader-group-headers': list('Headers with groups.', ['x-remote-group']),
    'requestheader-uid-headers': list('Headers with a uid.'),
    'requestheader-username-headers': list('Headers with a name.', ['x-remote-user']),
  } as const
}

/** One of several copies works, the others wait. */
export function leaderElectionFlags(name: string) {
  return {
    'leader-elect': boolean('Works only while it is the leader: for several copies side by side.', true),
    'leader-elect-lease-duration': duration('How long others wait for a leader that is silent.', '15s'),
    'leader-elect-renew-deadline': duration('How long a leader goes on that cannot say so.', '10s'),
    'leader-elect-retry-period': duration('How often the lead is renewed or asked for.', '2s'),
    'leader-elect-resource-lock': refused(
      text('The kind of object that shows the leader.', 'leases'),
      'leaders hold Leases and nothing else',
    ),
    'leader-elect-resource-name': text('The name of that object.', name),
    'leader-elect-resource-namespace': text('The namespace of that object.', 'kube-system'),
  } as const
}

export const profilingFlags = {
  profiling: unapplied(boolean('Serves profiles below /debug/pprof/.', true), 'Go profiles do not exist here; use node --inspect'),
  'contention-profiling': unapplied(boolean('Profiles of locks.'), 'Go profiles do not exist here'),
} as const
