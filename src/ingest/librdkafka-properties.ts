/** Properties that are an option of ours with a whole number, by the option's name below `kafka`. */
export const NUMBERS: Readonly<Record<string, string>> = {
  'session.timeout.ms': 'sessionTimeoutMs',
  'heartbeat.interval.ms': 'heartbeatMs',
  'fetch.max.bytes': 'fetchBytesMax',
  'max.partition.fetch.bytes': 'fetchBytesPerPartitionMax',
}

/** Properties that something is made of. */
export const TAKEN: ReadonlySet<string> = new Set([
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

/** Properties that tune librdkafka's own queues, sockets and logs: without them the same records are read. */
export const ACCEPTED: ReadonlySet<string> = new Set([
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

function always(why: string): Refusal {
  return () => why
}

function unless(harmless: readonly string[], why: string): Refusal {
  return (value) => (harmless.includes(value.toLowerCase()) ? undefined : why)
}

const CERTIFICATES = 'only PEM files are read; name ssl.certificate.location and ssl.key.location'
const TRUST = 'whom to trust is said by ssl.ca.location alone'
const SUITES = 'which ciphers are spoken is decided by Node; its option --tls-cipher-list changes it'
const KERBEROS = 'Kerberos is not supported'
const PRODUCES = 'is a property of producers'

/** Properties whose absence would change what is read or how safe it is: why they are refused; no reason where a value is harmless. */
export const REFUSED: Readonly<Record<string, Refusal>> = {
  'enable.auto.commit': unless(
    ['false', '0'],
    'offsets are committed to the group only after the table holds them',
  ),
  'enable.auto.offset.store': always('offsets are stored by the table alone'),
  'isolation.level': unless(['read_committed', '2'], 'records of aborted transactions are never read'),
  'group.instance.id': always('static membership is not supported'),
  'group.protocol': unless(['classic'], 'only the classic group protocol is spoken'),
  'group.protocol.type': unless(['consumer'], 'groups are groups of consumers'),
  'group.remote.assignor': always('only the classic group protocol is spoken'),
  'partition.assignment.strategy': unless(
    ['range,roundrobin', 'roundrobin', 'range'],
    'partitions are dealt out eagerly and evenly',
  ),
  'topic.blacklist': always('one topic is read, by its name'),
  'plugin.library.paths': always('plugins of librdkafka cannot be loaded'),
  'ssl.cipher.suites': always(SUITES),
  'ssl.curves.list': always(SUITES),
  'ssl.sigalgs.list': always(SUITES),
  'ssl.crl.location': always('revocation lists are not read'),
  'ssl.ca.certificate.stores': always(TRUST),
  'ssl.keystore.location': always(CERTIFICATES),
  'ssl.keystore.password': always(CERTIFICATES),
  'ssl.engine.location': always(CERTIFICATES),
  'ssl.engine.id': always(CERTIFICATES),
  'ssl.providers': always(CERTIFICATES),
  'ssl.endpoint.identification.algorithm': unless(
    ['https'],
    'the name in a certificate is always checked; enable.ssl.certificate.verification=false trusts everybody',
  ),
  'https.ca.location': always("NODE_EXTRA_CA_CERTS names authorities beside Node's own"),
  'https.ca.pem': always("NODE_EXTRA_CA_CERTS names authorities beside Node's own"),
  'sasl.kerberos.service.name': always(KERBEROS),
  'sasl.kerberos.principal': always(KERBEROS),
  'sasl.kerberos.kinit.cmd': always(KERBEROS),
  'sasl.kerberos.keytab': always(KERBEROS),
  'sasl.kerberos.min.time.before.relogin': always(KERBEROS),
  'sasl.oauthbearer.config': always('tokens come from a server: sasl.oauthbearer.method=oidc'),
  'enable.sasl.oauthbearer.unsecure.jwt': always('tokens come from a server: sasl.oauthbearer.method=oidc'),
  acks: always(PRODUCES),
  'batch.size': always(PRODUCES),
  'compression.codec': always(PRODUCES),
  'compression.type': always(PRODUCES),
  'enable.idempotence': always(PRODUCES),
  'linger.ms': always(PRODUCES),
  'transactional.id': always(PRODUCES),
}
