"""Registers schemas at the registry given and prints, a line each, the name of a topic and a value in base64 that
Confluent's own serializers framed for it: frame_values.py URL PREFIX"""

import base64
import datetime
import sys

from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, struct_pb2, timestamp_pb2

url, prefix = sys.argv[1:3]
client = SchemaRegistryClient({"url": url})
# The registry has no configuration of its own for subjects, which newer clients ask for.
CONF = {"auto.register.schemas": True}


def show(topic, value):
    print(topic, base64.b64encode(value).decode())


def framed(topic, serializer, value):
    show(topic, serializer(value, SerializationContext(prefix + topic, MessageField.VALUE)))


def avro():
    old = '{"type":"record","name":"Event","fields":[{"name":"id","type":"long"}]}'
    new = """{"type":"record","name":"Event","fields":[{"name":"id","type":"long"},
      {"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null}]}"""
    framed("avro", AvroSerializer(client, old, conf=CONF), {"id": 1})
    at = datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)
    framed("avro", AvroSerializer(client, new, conf=CONF), {"id": 2, "at": at})


def avro_with_reference():
    address = '{"type":"record","name":"Address","namespace":"acme","fields":[{"name":"city","type":"string"}]}'
    client.register_schema(prefix + "address", Schema(address, "AVRO"))
    person = """{"type":"record","name":"Person","namespace":"acme","fields":[{"name":"name","type":"string"},
      {"name":"home","type":"acme.Address"}]}"""
    schema = Schema(person, "AVRO", [SchemaReference("acme.Address", prefix + "address", 1)])
    framed("person", AvroSerializer(client, schema, conf=CONF), {"name": "Ada", "home": {"city": "Riga"}})


def json():
    schema = """{"$schema":"http://json-schema.org/draft-07/schema#","title":"Event","type":"object",
      "properties":{"id":{"type":"integer"},"name":{"type":"string"}},"required":["id"]}"""
    framed("json", JSONSerializer(schema, client, conf=CONF), {"id": 1, "name": "é"})


def field(message, name, number, kind, type_name=None, repeated=False):
    added = message.field.add(name=name, number=number, type=kind, label=3 if repeated else 1)
    if type_name is not None:
        added.type_name = type_name


def protobuf():
    pool = descriptor_pool.DescriptorPool()
    for known in (timestamp_pb2, struct_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        known.DESCRIPTOR.CopyToProto(file)
        pool.Add(file)
    F = descriptor_pb2.FieldDescriptorProto
    money = descriptor_pb2.FileDescriptorProto(name="acme/money.proto", package="acme", syntax="proto3")
    of_money = money.message_type.add(name="Money")
    field(of_money, "currency", 1, F.TYPE_STRING)
    field(of_money, "units", 2, F.TYPE_INT64)
    pool.Add(money)
    order = descriptor_pb2.FileDescriptorProto(
        name="acme/order.proto",
        package="acme",
        syntax="proto3",
        dependency=["acme/money.proto", "google/protobuf/timestamp.proto"],
    )
    first = order.message_type.add(name="First")
    field(first, "n", 1, F.TYPE_INT32)
    outer = order.message_type.add(name="Outer")
    entry = outer.nested_type.add(name="TagsEntry")
    entry.options.map_entry = True
    field(entry, "key", 1, F.TYPE_STRING)
    field(entry, "value", 2, F.TYPE_INT64)
    field(outer, "tags", 1, F.TYPE_MESSAGE, ".acme.Outer.TagsEntry", repeated=True)
    inner = outer.nested_type.add(name="Inner")
    field(inner, "id", 1, F.TYPE_UINT64)
    field(inner, "price", 2, F.TYPE_MESSAGE, ".acme.Money")
    field(inner, "at", 3, F.TYPE_MESSAGE, ".google.protobuf.Timestamp")
    pool.Add(order)
    conf = {**CONF, "use.deprecated.format": False}

    def message(name):
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))

    # The whole file is registered each time, so that only the place in the frame tells the messages apart.
    kinds = {name: message(name) for name in ("acme.First", "acme.Outer", "acme.Outer.Inner")}
    framed("proto-first", ProtobufSerializer(kinds["acme.First"], client, conf), kinds["acme.First"](n=-5))
    outer_value = kinds["acme.Outer"](tags={"a": 1})
    framed("proto-outer", ProtobufSerializer(kinds["acme.Outer"], client, conf), outer_value)
    inner_value = kinds["acme.Outer.Inner"](id=2**64 - 1)
    inner_value.price.currency = "EUR"
    inner_value.price.units = 2**53 + 1
    inner_value.at.seconds = 1_700_000_000
    framed("proto-inner", ProtobufSerializer(kinds["acme.Outer.Inner"], client, conf), inner_value)


avro()
avro_with_reference()
json()
protobuf()
