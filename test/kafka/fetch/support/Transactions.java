import java.time.Duration;
import java.util.*;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/**
 * Writes to a topic with several transactional producers at once, of which about half of the transactions abort, and prints
 * what Kafka's own consumer then reads under each isolation: isolation, partition, offset, timestamp, checksum.
 * Arguments: brokers, topic, partitions, seed, steps.
 */
class Transactions {
    static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};

    public static void main(String[] args) throws Exception {
        String brokers = args[0];
        String topic = args[1];
        int partitions = Integer.parseInt(args[2]);
        write(brokers, topic, partitions, new Random(Long.parseLong(args[3])), Integer.parseInt(args[4]));
        for (String isolation : List.of("read_committed", "read_uncommitted")) read(brokers, topic, partitions, isolation);
        System.out.flush();
    }

    static KafkaProducer<byte[], byte[]> producer(String brokers, String codec, String transactionalId) {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", brokers);
        config.put("compression.type", codec);
        config.put("batch.size", 4096);
        config.put("linger.ms", 2);
        if (transactionalId != null) config.put("transactional.id", transactionalId);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static void write(String brokers, String topic, int partitions, Random random, int steps) {
        List<KafkaProducer<byte[], byte[]>> producers = new ArrayList<>();
        for (String codec : CODECS) {
            KafkaProducer<byte[], byte[]> each = producer(brokers, codec, topic + "-" + codec);
            each.initTransactions();
            producers.add(each);
        }
        KafkaProducer<byte[], byte[]> plain = producer(brokers, "lz4", null);
        boolean[] isOpen = new boolean[CODECS.length];
        for (int step = 0; step < steps; step++) {
            int index = random.nextInt(CODECS.length + 1);
            KafkaProducer<byte[], byte[]> each = index < CODECS.length ? producers.get(index) : plain;
            if (index < CODECS.length && !isOpen[index]) {
                each.beginTransaction();
                isOpen[index] = true;
            }
            for (int count = 1 + random.nextInt(8); count > 0; count--) each.send(record(topic, partitions, random));
            if (random.nextInt(2) == 0) each.flush();
            if (index < CODECS.length && random.nextInt(3) == 0) end(producers, isOpen, index, random);
        }
        for (int index = 0; index < CODECS.length; index++) if (isOpen[index]) end(producers, isOpen, index, random);
        plain.close();
        for (KafkaProducer<byte[], byte[]> each : producers) each.close();
    }

    static void end(List<KafkaProducer<byte[], byte[]>> producers, boolean[] isOpen, int index, Random random) {
        if (random.nextBoolean()) producers.get(index).commitTransaction();
        else {
            // What is not sent yet would never be.
            producers.get(index).flush();
            producers.get(index).abortTransaction();
        }
        isOpen[index] = false;
    }

    static ProducerRecord<byte[], byte[]> record(String topic, int partitions, Random random) {
        byte[] key = switch (random.nextInt(3)) {
            case 0 -> null;
            case 1 -> new byte[4];
            default -> bytes(random, random.nextInt(40));
        };
        byte[] value = random.nextInt(20) == 0 ? null : bytes(random, random.nextInt(10) == 0 ? 9000 : random.nextInt(400));
        ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(topic, random.nextInt(partitions), key, value);
        if (random.nextInt(4) == 0) made.headers().add("trace", bytes(random, random.nextInt(60))).add("none", null);
        return made;
    }

    static byte[] bytes(Random random, int length) {
        byte[] made = new byte[length];
        // Half of them compress well.
        if (random.nextBoolean()) random.nextBytes(made);
        return made;
    }

    static void read(String brokers, String topic, int partitions, String isolation) {
        Map<String, Object> config = Map.of("bootstrap.servers", brokers, "isolation.level", isolation, "auto.offset.reset", "earliest");
        StringBuilder lines = new StringBuilder();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = new ArrayList<>();
            for (int partition = 0; partition < partitions; partition++) all.add(new TopicPartition(topic, partition));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            while (all.stream().anyMatch(each -> consumer.position(each) < ends.get(each)))
                for (ConsumerRecord<byte[], byte[]> each : consumer.poll(Duration.ofMillis(100)))
                    lines.append(isolation).append(' ').append(each.partition()).append(' ').append(each.offset()).append(' ')
                        .append(each.timestamp()).append(' ').append(Long.toHexString(checksum(each))).append('\n');
            for (TopicPartition each : all)
                lines.append("end ").append(each.partition()).append(' ').append(ends.get(each)).append('\n');
        }
        System.out.print(lines);
    }

    static long checksum(ConsumerRecord<byte[], byte[]> each) {
        CRC32 sum = new CRC32();
        add(sum, each.key());
        add(sum, each.value());
        each.headers().forEach(header -> {
            add(sum, header.key().getBytes());
            add(sum, header.value() == null ? new byte[0] : header.value());
        });
        return sum.getValue();
    }

    static void add(CRC32 sum, byte[] part) {
        sum.update(part == null ? 1 : 0);
        if (part != null) sum.update(part);
    }
}
