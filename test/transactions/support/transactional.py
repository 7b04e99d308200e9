"""Writes to topics with transactional producers of librdkafka, of which about half of the transactions abort.

Argument: brokers. Each line of the input is a command, `topic partitions seed transactions`, answered by the line `done`, or by
`failed` and the reason.
"""

import random
import sys

from confluent_kafka import KafkaException, Producer

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def write(brokers, topic, partitions, seed, transactions):
    chance = random.Random(seed)
    producers = [open_producer(brokers, f"{topic}-librdkafka-{number}", chance) for number in range(2)]
    for producer in producers:
        producer.init_transactions(30)
    is_open = [False] * len(producers)
    for _ in range(transactions * 3):
        number = chance.randrange(len(producers))
        producer = producers[number]
        if not is_open[number]:
            producer.begin_transaction()
            is_open[number] = True
        for _ in range(chance.randint(1, 8)):
            produce(producer, topic, partitions, chance)
        if chance.randrange(3) == 0:
            end(producer, chance)
            is_open[number] = False
    for number, producer in enumerate(producers):
        if is_open[number]:
            end(producer, chance)


def open_producer(brokers, transactional_id, chance):
    return Producer(
        {
            "bootstrap.servers": brokers,
            "transactional.id": transactional_id,
            "compression.type": chance.choice(CODECS),
            "batch.size": chance.choice([200, 4096, 1_000_000]),
            "linger.ms": chance.choice([0, 2, 20]),
        }
    )


def end(producer, chance):
    # What is not sent yet would never be.
    producer.flush(30)
    if chance.random() < 0.5:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def produce(producer, topic, partitions, chance):
    key = chance.choice([None, b"\0\0\0\0", b"\0\0\0\1", chance.randbytes(chance.randrange(40))])
    value = None if chance.randrange(20) == 0 else body(chance)
    headers = [("trace", chance.randbytes(8)), ("none", None)] if chance.randrange(4) == 0 else []
    producer.produce(topic, partition=chance.randrange(partitions), key=key, value=value, headers=headers)
    producer.poll(0)


def body(chance):
    length = chance.randrange(9000 if chance.randrange(20) == 0 else 400)
    return chance.randbytes(length) if chance.random() < 0.5 else bytes(length)


for line in sys.stdin:
    name, partitions, seed, transactions = line.split()
    try:
        write(sys.argv[1], name, int(partitions), int(seed), int(transactions))
        print("done", flush=True)
    except KafkaException as error:
        print(f"failed {error}", flush=True)
