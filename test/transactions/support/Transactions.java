import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.*;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Writes to topics with several transactional producers at once, of which about half of the transactions abort, and prints
 * what Kafka's own consumer reads. Argument: brokers. Each line of the input is a command, whose answer ends with the line
 * "done", or "failed" and the reason:
 * - "write topic partitions seed steps open": writes; the last "open" transactional producers keep a transaction open;
 * - "finish topic": ends the transactions that are open;
 * - "read topic partitions": waits until every ended transaction is visible, and prints, for each isolation, lines
 *   "isolation partition offset timestamp checksum-of-key-and-value checksum-of-headers" and "end isolation partition offset".
 */
class Transactions {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    static final int[] BATCH_BYTES = {200, 4_096, 65_536, 1_000_000};
    static final int[] LINGER_MS = {0, 2, 20};
    static final long VISIBLE_MS_MAX = 60_000;

    static final Map<String, Writing> writings = new HashMap<>();

    public static void main(String[] args) throws Exception {
        String brokers = args[0];
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            try {
                answer(brokers, line.split(" "));
                System.out.println("done");
            } catch (Exception error) {
                StringWriter text = new StringWriter();
                error.printStackTrace(new PrintWriter(text));
                System.out.println("failed " + text.toString().replace('\n', ' '));
            }
            System.out.flush();
        }
        // Producers that no command closed do not keep the program.
        Runtime.getRuntime().halt(0);
    }

    static void answer(String brokers, String[] words) throws Exception {
        String topic = words[1];
        switch (words[0]) {
            case "write" -> {
                Writing writing = new Writing(brokers, topic, Integer.parseInt(words[2]), new Random(Long.parseLong(words[3])));
                writings.put(topic, writing);
                writing.write(Integer.parseInt(words[4]), Integer.parseInt(words[5]));
            }
            case "finish" -> writings.remove(topic).finish();
            case "read" -> read(brokers, topic, Integer.parseInt(words[2]));
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    /** A producer with a transactional id, and the state of its transaction. */
    static class Transactional {
        final String id;
        final Map<String, Object> config;
        KafkaProducer<byte[], byte[]> producer;
        boolean isOpen;
        /** The first offset of the open transaction in each partition. */
        final Map<Integer, Long> first = Collections.synchronizedMap(new HashMap<>());

        Transactional(Map<String, Object> config, String id) {
            this.id = id;
            this.config = new HashMap<>(config);
            this.config.put("transactional.id", id);
            // A transaction that is kept open must not abort while a busy machine reads. This is the longest that brokers allow.
            this.config.put("transaction.timeout.ms", 900_000);
            start();
        }

        void start() {
            producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
            producer.initTransactions();
        }

        void send(ProducerRecord<byte[], byte[]> record) {
            producer.send(record, (sent, error) -> {
                if (error == null) first.merge(sent.partition(), sent.offset(), Math::min);
            });
        }

        void end(Random random) {
            if (random.nextBoolean()) producer.commitTransaction();
            else {
                // What is not sent yet would never be.
                producer.flush();
                if (random.nextInt(6) > 0) producer.abortTransaction();
                else {
                    // A successor with the same id aborts it.
                    KafkaProducer<byte[], byte[]> before = producer;
                    start();
                    before.close(Duration.ZERO);
                }
            }
            isOpen = false;
            first.clear();
        }
    }

    static class Writing {
        final String topic;
        final int partitions;
        final Random random;
        final int largest;
        final List<Transactional> transactional = new ArrayList<>();
        final List<KafkaProducer<byte[], byte[]>> others = new ArrayList<>();

        Writing(String brokers, String topic, int partitions, Random random) {
            this.topic = topic;
            this.partitions = partitions;
            this.random = random;
            // Most topics have small records only, so that a response holds many batches.
            this.largest = random.nextInt(3) == 0 ? 900_000 : 9_000;
            for (String codec : CODECS) {
                transactional.add(new Transactional(config(brokers, codec), topic + "-" + codec));
            }
            for (boolean isIdempotent : new boolean[] {true, false}) {
                Map<String, Object> config = config(brokers, CODECS[random.nextInt(CODECS.length)]);
                config.put("enable.idempotence", isIdempotent);
                others.add(new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer()));
            }
        }

        Map<String, Object> config(String brokers, String codec) {
            Map<String, Object> config = new HashMap<>();
            config.put("bootstrap.servers", brokers);
            config.put("compression.type", codec);
            config.put("batch.size", BATCH_BYTES[random.nextInt(BATCH_BYTES.length)]);
            config.put("linger.ms", LINGER_MS[random.nextInt(LINGER_MS.length)]);
            return config;
        }

        void write(int steps, int open) {
            int total = transactional.size();
            for (int step = 0; step < steps; step++) {
                int index = random.nextInt(total + 2);
                int count = random.nextInt(12) == 0 ? 40 : 1 + random.nextInt(8);
                if (index >= total) {
                    for (; count > 0; count--) others.get(index - total).send(record());
                    if (random.nextInt(2) == 0) others.get(index - total).flush();
                    continue;
                }
                Transactional each = transactional.get(index);
                if (!each.isOpen) each.producer.beginTransaction();
                each.isOpen = true;
                for (; count > 0; count--) each.send(record());
                if (random.nextInt(2) == 0) each.producer.flush();
                if (random.nextInt(3) == 0) each.end(random);
            }
            for (KafkaProducer<byte[], byte[]> each : others) each.close();
            for (int index = 0; index < total; index++) {
                Transactional each = transactional.get(index);
                if (each.isOpen && index < total - open) each.end(random);
                else if (each.isOpen) each.producer.flush();
            }
        }

        void finish() {
            for (Transactional each : transactional) {
                if (each.isOpen) each.end(random);
                each.producer.close();
            }
            transactional.clear();
        }

        /** The last stable offset that a partition has once every ended transaction is visible. */
        long stableEnd(int partition, long end) {
            long stable = end;
            for (Transactional each : transactional) stable = Math.min(stable, each.first.getOrDefault(partition, end));
            return stable;
        }

        ProducerRecord<byte[], byte[]> record() {
            byte[] key = switch (random.nextInt(4)) {
                case 0 -> null;
                case 1 -> new byte[4];
                case 2 -> new byte[] {0, 0, 0, 1};
                default -> bytes(random.nextInt(40));
            };
            byte[] value = random.nextInt(20) == 0 ? null : bytes(length());
            ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(topic, random.nextInt(partitions), key, value);
            if (random.nextInt(4) == 0) made.headers().add("trace", bytes(random.nextInt(60))).add("none", null);
            return made;
        }

        int length() {
            return switch (random.nextInt(60)) {
                case 0 -> random.nextInt(largest);
                case 1, 2, 3, 4 -> random.nextInt(9_000);
                default -> random.nextInt(400);
            };
        }

        byte[] bytes(int length) {
            byte[] made = new byte[length];
            // Half of them compress well.
            if (random.nextBoolean()) random.nextBytes(made);
            return made;
        }
    }

    static void read(String brokers, String topic, int partitions) throws InterruptedException {
        List<TopicPartition> all = new ArrayList<>();
        for (int partition = 0; partition < partitions; partition++) all.add(new TopicPartition(topic, partition));
        try (KafkaConsumer<byte[], byte[]> committed = consumer(brokers, "read_committed", all);
                KafkaConsumer<byte[], byte[]> uncommitted = consumer(brokers, "read_uncommitted", all)) {
            awaitVisible(topic, committed, uncommitted, all);
            read("read_committed", committed, all);
            read("read_uncommitted", uncommitted, all);
        }
    }

    static KafkaConsumer<byte[], byte[]> consumer(String brokers, String isolation, List<TopicPartition> all) {
        Map<String, Object> config =
            Map.of("bootstrap.servers", brokers, "isolation.level", isolation, "max.poll.records", 5_000, "fetch.max.wait.ms", 50);
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.assign(all);
        consumer.seekToBeginning(all);
        return consumer;
    }

    /** A coordinator confirms the end of a transaction before it writes the markers. */
    static void awaitVisible(
            String topic,
            KafkaConsumer<byte[], byte[]> committed,
            KafkaConsumer<byte[], byte[]> uncommitted,
            List<TopicPartition> all)
            throws InterruptedException {
        // After the end of all transactions there is no entry.
        Writing writing = writings.get(topic);
        long deadline = System.currentTimeMillis() + VISIBLE_MS_MAX;
        for (;;) {
            Map<TopicPartition, Long> stable = committed.endOffsets(all);
            Map<TopicPartition, Long> ends = uncommitted.endOffsets(all);
            boolean isVisible = all.stream().allMatch(
                each -> stable.get(each) == (writing == null ? ends.get(each) : writing.stableEnd(each.partition(), ends.get(each))));
            if (isVisible) return;
            if (System.currentTimeMillis() > deadline) throw new IllegalStateException(stable + " of " + ends);
            Thread.sleep(5);
        }
    }

    static void read(String isolation, KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> all) {
        StringBuilder lines = new StringBuilder();
        Map<TopicPartition, Long> ends = consumer.endOffsets(all);
        while (all.stream().anyMatch(each -> consumer.position(each) < ends.get(each)))
            for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(50)))
                lines.append(isolation).append(' ').append(each.partition()).append(' ').append(each.offset()).append(' ')
                    .append(each.timestamp()).append(' ').append(Long.toHexString(bodyChecksum(each))).append(' ')
                    .append(Long.toHexString(headerChecksum(each))).append('\n');
        for (TopicPartition each : all)
            lines.append("end ").append(isolation).append(' ').append(each.partition()).append(' ').append(ends.get(each))
                .append('\n');
        System.out.print(lines);
    }

    static long bodyChecksum(ConsumerRecord<byte[], byte[]> each) {
        CRC32 sum = new CRC32();
        add(sum, each.key());
        add(sum, each.value());
        return sum.getValue();
    }

    static long headerChecksum(ConsumerRecord<byte[], byte[]> each) {
        CRC32 sum = new CRC32();
        each.headers().forEach(header -> {
            add(sum, header.key().getBytes());
            add(sum, header.value());
        });
        return sum.getValue();
    }

    static void add(CRC32 sum, byte[] part) {
        sum.update(part == null ? 1 : 0);
        if (part != null) sum.update(part);
    }
}
