import { API_SERVER_GATES } from '#apiserver/feature-gates.ts'
import { originProblem } from '#apiserver/http/cors.ts'
import { featureGates } from './feature-gates.ts'
import {
  boolean,
  checked,
  decimal,
  duration,
  type Flag,
  FlagValueError,
  integer,
  ip,
  list,
  oneOf,
  pairs,
  port,
  refused,
  repeated,
  switches,
  text,
  unapplied,
} from './flag.ts'
import type { FlagSections, Program } from './flag-set.ts'
import { featureGateFlags, logFlags, metricsFlags, profilingFlags, requestHeaderFlags, secureServingFlags } from './shared-flags.ts'

const ONE_BACKEND = 'the store keeps what it needs in memory'

/** The backlog of one place that audit events go to. */
function auditBatchFlags<Name extends 'log' | 'webhook'>(name: Name, mode: 'blocking' | 'batch') {
  const of = `of the audit ${name}`
  const flags = {
    'batch-buffer-size': integer(`How many events wait for a batch ${of}.`, 10_000),
    'batch-max-size': integer(`How many events a batch ${of} has at most.`, name === 'log' ? 1 : 400),
    'batch-max-wait': duration(`How long a batch ${of} is waited for.`, name === 'log' ? '0s' : '30s'),
    'batch-throttle-burst': integer(`How many batches ${of} at once.`, name === 'log' ? 0 : 15),
    'batch-throttle-enable': boolean(`Whether batches ${of} are slowed down.`, name === 'webhook'),
    'batch-throttle-qps': decimal(`How many batches ${of} per second.`, name === 'log' ? 0 : 10),
    mode: oneOf(['batch', 'blocking', 'blocking-strict'], `Whether requests wait until their event ${of} is written.`, mode),
    'truncate-enabled': boolean(`Whether large events ${of} are cut.`),
    'truncate-max-batch-size': integer(`How many bytes a batch ${of} has at most.`, 10_485_760),
    'truncate-max-event-size': integer(`How many bytes an event ${of} has at most.`, 102_400),
    version: refused(text(`The version in which events ${of} are written.`, 'audit.k8s.io/v1'), 'there is only one'),
  } as const
  const isBatch = (key: string) => name === 'log' && key.startsWith('batch-')
  type Flags = { readonly [Key in keyof typeof flags & string as `audit-${Name}-${Key}`]: (typeof flags)[Key] }
  return Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => [
      `audit-${name}-${key}`,
      isBatch(key)
        ? unapplied<unknown>(flag as Flag, 'lines are written in the order in which they come, as many at once as there are')
        : flag,
    ]),
  ) as unknown as Flags
}

/** The flags of upstream's kube-apiserver, and `--data-dir` for the embedded store. */
export const kubeApiserver = {
  name: 'kube-apiserver',
  about: 'The API server: reads, checks and keeps the objects of a cluster, and is the only one that others speak with.',
  sections: {
    Generic: {
      'advertise-address': ip('The address at which others reach this server. Default: --bind-address, or that of the default route.'),
      'cors-allowed-origins': checked(
        list('Origins whose scripts may call, as regular expressions that say where the host begins and ends: //example.com(:|$).'),
        patterns => patterns.forEach(checkOrigin),
      ),
      'emulation-forward-compatible': unapplied(boolean('Serves APIs that came after the emulated version.')),
      'runtime-config-emulation-forward-compatible': unapplied(boolean('As above, for APIs named by --runtime-config.')),
      'external-hostname': unapplied(text('The host name in URLs to this server.'), 'URLs name --advertise-address'),
      'goaway-chance': checked(decimal('How many HTTP/2 requests, of one, make the client connect anew: from 0 to 0.02.'), checkChance),
      'livez-grace-period': unapplied(
        duration('How long after the start /livez says ok although it is not ready.'),
        '/livez tells the truth from the first moment',
      ),
      'max-mutating-requests-inflight': integer('How many writes at once; with the other one, what priority and fairness share out.', 200),
      'max-requests-inflight': integer('How many reads at once.', 400),
      'min-request-timeout': integer('The least seconds after which a watch is ended.', 1800),
      'request-timeout': duration('How long a request may take; watches and streams excepted.', '1m0s'),
      'shutdown-delay-duration': duration('How long it goes on serving once told to end, so that load balancers notice.'),
      'shutdown-send-retry-after': unapplied(
        boolean('Answers 429 with Retry-After while it ends.'),
        'who asks while it ends is cut off when the connection closes',
      ),
      'shutdown-watch-termination-grace-period': unapplied(
        duration('How long watches are given to end.'),
        'watches are ended at once, and resume elsewhere',
      ),
      'strict-transport-security-directives': unapplied(list('What the Strict-Transport-Security header says.'), 'the header is not sent'),
      ...featureGateFlags,
      'feature-gates': featureGates(gate => API_SERVER_GATES.has(gate)),
    },
    Etcd: {
      'data-dir': text('Where the embedded store keeps the cluster, when there are no --etcd-servers. (Not a flag of upstream.)'),
      'delete-collection-workers': unapplied(integer('How many objects of a collection are deleted at once.', 1)),
      'enable-garbage-collector': unapplied(
        boolean('Whether owners are followed; as the controller manager has it.', true),
        'owners are always followed',
      ),
      'encryption-provider-config': text('A file that says which resources are kept encrypted, and how.'),
      'encryption-provider-config-automatic-reload': boolean('Reads that file again when it changes.'),
      'etcd-cafile': text('The authority that signs the etcd servers.'),
      'etcd-certfile': text('The certificate to show to etcd.'),
      'etcd-compaction-interval': duration('How long old revisions are kept; 0s: for ever.', '5m0s'),
      'etcd-count-metric-poll-period': unapplied(duration('How often objects are counted.', '1m0s')),
      'etcd-db-metric-poll-interval': unapplied(duration('How often the size of the store is read.', '30s')),
      'etcd-healthcheck-timeout': unapplied(duration('How long etcd may take to say that it is well.', '2s')),
      'etcd-keyfile': text('The key of --etcd-certfile.'),
      'etcd-prefix': refused(
        text('What all keys begin with.', '/registry'),
        'all keys are below /registry, so that upstream can read the same store',
      ),
      'etcd-readycheck-timeout': unapplied(duration('How long etcd may take to say that it is ready.', '2s')),
      'etcd-servers': list('The etcd servers (scheme://host:port). None: the embedded store below --data-dir.'),
      'etcd-servers-overrides': unapplied(
        repeated('Servers for single resources: group/resource#server;server.'),
        'all resources are in one store',
      ),
      'lease-reuse-duration-seconds': unapplied(integer('How long an etcd lease takes in further events.', 60)),
      'storage-backend': unapplied(oneOf(['etcd3'], 'The kind of store.', 'etcd3')),
      'storage-initialization-timeout': unapplied(
        duration('How long to wait for the store at the start.', '1m0s'),
        'the store is waited for until it answers',
      ),
      'storage-media-type': oneOf(
        ['application/json', 'application/vnd.kubernetes.protobuf'],
        'The form in which objects are kept; both are read. (Upstream has protobuf as its default.)',
        'application/json',
      ),
      'watch-cache': unapplied(boolean('Whether objects are held in memory.', true), 'they always are'),
      'watch-cache-sizes': unapplied(list('How many events are held of a resource: resource#size.'), ONE_BACKEND),
      'default-watch-cache-size': unapplied(integer('How many events are held otherwise.', 100), ONE_BACKEND),
    },
    'Secure serving': secureServingFlags({ port: 6443, directory: '/var/run/kubernetes' }),
    Auditing: {
      'audit-policy-file': text('A file that says which requests are recorded, and how much of each.'),
      'audit-log-path': text('The file that events are written to; - for stdout.'),
      'audit-log-compress': boolean('Compresses old files with gzip.'),
      'audit-log-format': oneOf(['json', 'legacy'], 'How events are written.', 'json'),
      'audit-log-maxage': integer('How many days old files are kept; 0: for ever.'),
      'audit-log-maxbackup': integer('How many old files are kept; 0: all.'),
      'audit-log-maxsize': integer('After how many megabytes a new file is begun; 0: never.'),
      ...auditBatchFlags('log', 'blocking'),
      'audit-webhook-config-file': text('A kubeconfig that says where events are sent.'),
      'audit-webhook-initial-backoff': duration('How long to wait before sending again.', '10s'),
      ...auditBatchFlags('webhook', 'batch'),
    },
    Features: {
      ...profilingFlags,
      'debug-socket-path': unapplied(text('A socket for profiles without authentication.')),
      'enable-priority-and-fairness': boolean('Shares the server out by flow schemas and priority levels.', true),
    },
    Authentication: {
      'anonymous-auth': boolean('Lets in who does not say who they are, as system:anonymous.', true),
      'api-audiences': list('The audiences for which this server accepts tokens. Default: the issuer.'),
      'authentication-config': text('A file with JWT issuers and what anonymous users may ask.'),
      'authentication-token-webhook-cache-ttl': duration('How long an answer of the webhook counts.', '2m0s'),
      'authentication-token-webhook-config-file': text('A kubeconfig that says who knows tokens.'),
      'authentication-token-webhook-version': oneOf(['v1beta1', 'v1'], 'The version of TokenReview to send.', 'v1beta1'),
      'client-ca-file': text('Who is signed by one of these authorities is known by the name in the certificate.'),
      'enable-bootstrap-token-auth': boolean('Accepts bootstrap tokens, which are secrets in kube-system.'),
      'oidc-ca-file': text('The authority that signs the OpenID provider.'),
      'oidc-client-id': text('The client that ID tokens must be meant for.'),
      'oidc-groups-claim': text('The claim with the groups.'),
      'oidc-groups-prefix': text('What is put before each group.'),
      'oidc-issuer-url': text('The OpenID provider; https only.'),
      'oidc-required-claim': pairs('Claims that an ID token must have.'),
      'oidc-signing-algs': list('How ID tokens may be signed.', ['RS256']),
      'oidc-username-claim': text('The claim with the name.', 'sub'),
      'oidc-username-prefix': text('What is put before the name; - for nothing.'),
      ...requestHeaderFlags(),
      'service-account-extend-token-expiration': boolean('Lets the tokens that pods get live for a year, for old clients.', true),
      'service-account-issuer': repeated('Who issues tokens; the first signs, all are accepted.'),
      'service-account-jwks-uri': text('Where the keys of the issuer are read.'),
      'service-account-key-file': repeated('Keys by which tokens are checked. Default: the signing key.'),
      'service-account-lookup': unapplied(
        boolean('Checks that the account and pod of a token are still there.', true),
        'accounts and pods of tokens are always looked up',
      ),
      'service-account-max-token-expiration': duration('How long a token may live that is asked for.'),
      'service-account-signing-endpoint': unapplied(
        text('A socket of a program that signs tokens.'),
        'tokens are signed with --service-account-signing-key-file',
      ),
      'token-auth-file': text('A file of tokens: token,user,uid,"group1,group2".'),
    },
    Authorization: {
      'authorization-config': text('A file with the chain of authorizers.'),
      'authorization-mode': list(
        'Who is asked whether a request is allowed, in order: AlwaysAllow, AlwaysDeny, ABAC, Webhook, RBAC, Node.',
      ),
      'authorization-policy-file': text('The policies of ABAC, one JSON object a line.'),
      'authorization-webhook-cache-authorized-ttl': duration('How long a yes of the webhook counts.', '5m0s'),
      'authorization-webhook-cache-unauthorized-ttl': duration('How long a no of the webhook counts.', '30s'),
      'authorization-webhook-config-file': text('A kubeconfig that says who decides.'),
      'authorization-webhook-version': oneOf(['v1beta1', 'v1'], 'The version of SubjectAccessReview to send.', 'v1beta1'),
    },
    'Cloud provider': {
      'cloud-provider-gce-l7lb-src-cidrs': unapplied(list('Where load balancers of GCE come from.')),
    },
    'API enablement': {
      'runtime-config': switches('Versions and resources to serve or not: apps/v1=false, api/all=true.', true),
    },
    'Egress selector': {
      'egress-selector-config-file': unapplied(text('A file with proxies for what this server calls.'), 'it calls directly'),
    },
    Admission: {
      'admission-control': unapplied(
        list('Replaced by --enable-admission-plugins.'),
        'use --enable-admission-plugins and --disable-admission-plugins',
      ),
      'admission-control-config-file': text('A file with what single admission plugins need to know.'),
      'disable-admission-plugins': list('Plugins to leave out of those that are on by default.'),
      'enable-admission-plugins': list('Plugins to use besides those that are on by default; their order does not matter.'),
    },
    Metrics: metricsFlags,
    Logs: logFlags,
    Traces: {
      'tracing-config-file': unapplied(text('A file that says where traces are sent.'), 'no traces are sent'),
    },
    Misc: {
      'aggregator-reject-forwarding-redirect': refused(
        boolean('Does not hand on redirects of aggregated servers.', true),
        'redirects of aggregated servers are never followed',
      ),
      'allow-privileged': boolean('Lets containers be privileged.'),
      'apiserver-count': unapplied(integer('How many API servers there are, for the reconciler master-count.', 1)),
      'coordinated-leadership-lease-duration': unapplied(duration('Of coordinated leader election.', '15s')),
      'coordinated-leadership-renew-deadline': unapplied(duration('Of coordinated leader election.', '10s')),
      'coordinated-leadership-retry-period': unapplied(duration('Of coordinated leader election.', '2s')),
      'enable-aggregator-routing': unapplied(
        boolean('Sends requests of aggregated APIs to endpoints rather than to the cluster IP.'),
        'requests go to the endpoints, from which they are the same distance',
        true,
      ),
      'enable-logs-handler': unapplied(boolean('Serves log files below /logs.')),
      'endpoint-reconciler-type': oneOf(
        ['lease', 'master-count', 'none'],
        'How the endpoints of the Service kubernetes are kept.',
        'lease',
      ),
      'event-ttl': duration('How long events are kept.', '1h0m0s'),
      'kubelet-certificate-authority': text('The authority that signs the kubelets.'),
      'kubelet-client-certificate': text('The certificate to show to kubelets.'),
      'kubelet-client-key': text('The key of --kubelet-client-certificate.'),
      'kubelet-port': unapplied(port('The port of kubelets that do not tell theirs.', 10_250), 'each node tells its own'),
      'kubelet-preferred-address-types': list('Which address of a node to use.', [
        'Hostname',
        'InternalDNS',
        'InternalIP',
        'ExternalDNS',
        'ExternalIP',
      ]),
      'kubelet-read-only-port': unapplied(port('The port of kubelets without authentication.', 10_255)),
      'kubelet-timeout': duration('How long a connection to a kubelet may take to stand.', '5s'),
      'kubernetes-service-node-port': unapplied(port('The node port of the Service kubernetes.', 0)),
      'max-connection-bytes-per-sec': unapplied(integer('How fast one connection may be.')),
      'peer-advertise-ip': unapplied(ip('Where other API servers reach this one.')),
      'peer-advertise-port': unapplied(text('At which port other API servers reach this one.')),
      'peer-ca-file': unapplied(text('The authority that signs other API servers.')),
      'proxy-client-cert-file': text('The certificate to show to aggregated servers and webhooks.'),
      'proxy-client-key-file': text('The key of --proxy-client-cert-file.'),
      'service-account-signing-key-file': text('The key that signs the tokens of service accounts.'),
      'service-cluster-ip-range': list('The addresses of Services: one range, or one of each family.'),
      'service-node-port-range': text('The ports of Services on nodes.', '30000-32767'),
    },
  },
} as const satisfies Program<FlagSections>

function checkChance(chance: number): void {
  if (chance < 0 || chance > 0.02) throw new FlagValueError('--goaway-chance can not be less than 0 or greater than 0.02')
}

function checkOrigin(pattern: string): void {
  const problem = originProblem(pattern)
  if (problem) throw new FlagValueError(`--cors-allowed-origins ${problem}`)
}
