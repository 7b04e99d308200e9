/** Maps properties that hold a whole number to the option below `kafka`. */
export const NUMERIC_PROPERTIES: Readonly<Record<string, string>> = {
  'session.timeout.ms': 'sessionTimeoutMs',
  'heartbeat.interval.ms': 'heartbeatMs',
  'fetch.max.bytes': 'fetchBytesMax',
  'max.partition.fetch.bytes': 'fetchBytesPerPartitionMax',
}

/** Lists the properties that are translated to other options. */
export const TRANSLATED_PROPERTIES: ReadonlySet<string> = new Set([
  'bootstrap.servers',
  'group.id',
  'client.id',
  'auto.offset.reset',
  'security.protocol',
  'ssl.ca.location',
  'ssl.ca.pem',
  'ssl.certificate.location',
  'ssl.certificate.pem',
  'ssl.key.location',
  'ssl.key.pem',
  'ssl.key.password',
  'enable.ssl.certificate.verification',
  'sasl.mechanisms',
  'sasl.username',
  'sasl.password',
  'sasl.oauthbearer.method',
  'sasl.oauthbearer.client.id',
  'sasl.oauthbearer.client.secret',
  'sasl.oauthbearer.scope',
  'sasl.oauthbearer.extensions',
  'sasl.oauthbearer.token.endpoint.url',
])

/**
 * Lists the properties without effect here: they only tune librdkafka's queues, sockets and logs, and the same
 * records are read without them.
 */
export const IGNORED_PROPERTIES: ReadonlySet<string> = new Set([
  'allow.auto.create.topics',
  'api.version.fallback.ms',
  'api.version.request',
  'api.version.request.timeout.ms',
  'auto.commit.interval.ms',
  'broker.address.family',
  'broker.address.ttl',
  'broker.version.fallback',
  'builtin.features',
  'check.crcs',
  'client.dns.lookup',
  'client.rack',
  'connections.max.idle.ms',
  'coordinator.query.interval.ms',
  'debug',
  'enable.metrics.push',
  'enable.partition.eof',
  'enable.random.seed',
  'enable.sparse.connections',
  'fetch.error.backoff.ms',
  'fetch.min.bytes',
  'fetch.queue.backoff.ms',
  'fetch.wait.max.ms',
  'internal.termination.signal',
  'log.connection.close',
  'log.queue',
  'log.thread.name',
  'log_level',
  'max.in.flight',
  'max.in.flight.requests.per.connection',
  'max.poll.interval.ms',
  'message.copy.max.bytes',
  'message.max.bytes',
  'metadata.max.age.ms',
  'metadata.recovery.rebootstrap.trigger.ms',
  'metadata.recovery.strategy',
  'queued.max.messages.kbytes',
  'queued.min.messages',
  'receive.message.max.bytes',
  'reconnect.backoff.jitter.ms',
  'reconnect.backoff.max.ms',
  'reconnect.backoff.ms',
  'retry.backoff.max.ms',
  'retry.backoff.ms',
  'socket.blocking.max.ms',
  'socket.connection.setup.timeout.ms',
  'socket.keepalive.enable',
  'socket.max.fails',
  'socket.nagle.disable',
  'socket.receive.buffer.bytes',
  'socket.send.buffer.bytes',
  'socket.timeout.ms',
  'statistics.interval.ms',
  'topic.metadata.propagation.max.ms',
  'topic.metadata.refresh.fast.cnt',
  'topic.metadata.refresh.fast.interval.ms',
  'topic.metadata.refresh.interval.ms',
  'topic.metadata.refresh.sparse',
])

type Refusal = (value: string) => string | undefined

function refuseAlways(why: string): Refusal {
  return () => why
}

function refuseUnless(harmless: readonly string[], why: string): Refusal {
  return (value) => (harmless.includes(value.toLowerCase()) ? undefined : why)
}

const CERTIFICATES = 'only PEM files are read; name ssl.certificate.location and ssl.key.location'
const TRUST = 'trusted authorities are configured by ssl.ca.location only'
const SUITES = 'Node.js decides on the ciphers; its option --tls-cipher-list changes them'
const KERBEROS = 'Kerberos is not supported'
const PRODUCES = 'is a producer property'

/**
 * Lists the properties that are refused, because ignoring them would change which records are read or weaken
 * security. Each function returns the reason, or `undefined` for a harmless value.
 */
export const REFUSED_PROPERTIES: Readonly<Record<string, Refusal>> = {
  'enable.auto.commit': refuseUnless(
    ['false', '0'],
    'offsets are committed to the group only after they are in the table',
  ),
  'enable.auto.offset.store': refuseAlways('offsets are stored in the table only'),
  'isolation.level': refuseUnless(['read_committed', '2'], 'records of aborted transactions are never read'),
  'group.instance.id': refuseAlways('static membership is not supported'),
  'group.protocol': refuseUnless(['classic'], 'only the classic group protocol is supported'),
  'group.protocol.type': refuseUnless(['consumer'], 'groups are groups of consumers'),
  'group.remote.assignor': refuseAlways('only the classic group protocol is supported'),
  'partition.assignment.strategy': refuseUnless(
    ['range,roundrobin', 'roundrobin', 'range'],
    'partitions are assigned eagerly and evenly',
  ),
  'topic.blacklist': refuseAlways('exactly one topic is read, by its name'),
  'plugin.library.paths': refuseAlways('plugins of librdkafka cannot be loaded'),
  'ssl.cipher.suites': refuseAlways(SUITES),
  'ssl.curves.list': refuseAlways(SUITES),
  'ssl.sigalgs.list': refuseAlways(SUITES),
  'ssl.crl.location': refuseAlways('revocation lists are not read'),
  'ssl.ca.certificate.stores': refuseAlways(TRUST),
  'ssl.keystore.location': refuseAlways(CERTIFICATES),
  'ssl.keystore.password': refuseAlways(CERTIFICATES),
  'ssl.engine.location': refuseAlways(CERTIFICATES),
  'ssl.engine.id': refuseAlways(CERTIFICATES),
  'ssl.providers': refuseAlways(CERTIFICATES),
  'ssl.endpoint.identification.algorithm': refuseUnless(
    ['https'],
    'the name in a certificate is always checked; enable.ssl.certificate.verification=false disables all checks',
  ),
  'https.ca.location': refuseAlways('NODE_EXTRA_CA_CERTS adds authorities to those of Node.js'),
  'https.ca.pem': refuseAlways('NODE_EXTRA_CA_CERTS adds authorities to those of Node.js'),
  'sasl.kerberos.service.name': refuseAlways(KERBEROS),
  'sasl.kerberos.principal': refuseAlways(KERBEROS),
  'sasl.kerberos.kinit.cmd': refuseAlways(KERBEROS),
  'sasl.kerberos.keytab': refuseAlways(KERBEROS),
  'sasl.kerberos.min.time.before.relogin': refuseAlways(KERBEROS),
  'sasl.oauthbearer.config': refuseAlways('tokens are requested from a server: sasl.oauthbearer.method=oidc'),
  'enable.sasl.oauthbearer.unsecure.jwt': refuseAlways(
    'tokens are requested from a server: sasl.oauthbearer.method=oidc',
  ),
  acks: refuseAlways(PRODUCES),
  'batch.size': refuseAlways(PRODUCES),
  'compression.codec': refuseAlways(PRODUCES),
  'compression.type': refuseAlways(PRODUCES),
  'enable.idempotence': refuseAlways(PRODUCES),
  'linger.ms': refuseAlways(PRODUCES),
  'transactional.id': refuseAlways(PRODUCES),
}
